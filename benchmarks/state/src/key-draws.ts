const weyl = 0x9e3779b1;

/** A generator of the numbers 0 … 2³² − 1 that a seed fixes. */
function random32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // Weyl sequence with a finaliser (Steele et al., SplitMix).
    state = (state + weyl) >>> 0;
    return mixed(state);
  };
}

function mixed(state: number): number {
  let z = state;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** Keys drawn evenly from 0 … keys − 1. */
export function shuffledKeys(keys: number, count: number, seed: number): Int32Array {
  const next = random32(seed);
  return Int32Array.from({ length: count }, () => Math.floor((next() / 2 ** 32) * keys));
}

/** The numbers 0 … count − 1 in a random order. */
export function permutation(count: number, seed: number): Int32Array {
  const next = random32(seed);
  const numbers = Int32Array.from({ length: count }, (_, index) => index);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = Math.floor((next() / 2 ** 32) * (at + 1));
    [numbers[at], numbers[other]] = [numbers[other]!, numbers[at]!];
  }
  return numbers;
}

/**
 * Keys drawn by Zipf's law with exponent 1: key n is drawn in proportion to 1 / (n + 1). The inverse
 * of its sum, H(n) ≈ ln(n) + γ, gives them without a table, and each by its number without memory.
 */
export function zipfKeys(keys: number): (draw: number) => number {
  const total = Math.log(keys + 1);
  return (draw) => {
    const next = mixed((7 + Math.imul(draw + 1, weyl)) >>> 0);
    const rank = Math.floor(Math.exp((next / 2 ** 32) * total)) - 1;
    // Neighbours in rank are no neighbours in memory.
    return Math.min(keys - 1, rank) === 0 ? 0 : (Math.imul(rank, weyl) >>> 0) % keys;
  };
}
