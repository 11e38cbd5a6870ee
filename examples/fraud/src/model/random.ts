/** A seeded source of random numbers: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  uniform(from: number, to: number): number;
  /** Uniform integer in [0, below). */
  integer(below: number): number;
  normal(mean: number, deviation: number): number;
  poisson(mean: number): number;
}

/**
 * Makes a `Random` (generator sfc32, seeded through splitmix32, so that near seeds are unrelated).
 */
export function seededRandom(seed: number): Random {
  const next = sfc32(seed);
  const uniform = (from: number, to: number): number => from + (to - from) * next();
  return {
    next,
    uniform,
    integer: (below) => Math.floor(next() * below),
    normal: normalFrom(next),
    poisson: (mean) => poissonFrom(next, mean),
  };
}

function sfc32(seed: number): () => number {
  const mixed = splitmix32(seed);
  let a = mixed();
  let b = mixed();
  let c = mixed();
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 12; round += 1) next();
  return next;
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

function normalFrom(next: () => number): Random['normal'] {
  // Box and Muller's method makes two numbers at a time; the second is kept for the next call.
  let spare: number | undefined;
  return (mean, deviation) => {
    if (spare !== undefined) {
      const value = mean + deviation * spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    spare = radius * Math.sin(angle);
    return mean + deviation * radius * Math.cos(angle);
  };
}

function poissonFrom(next: () => number, mean: number): number {
  // Knuth's product of uniforms: short for the few payments a day of a card.
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = next(); product > limit; product *= next()) count += 1;
  return count;
}
