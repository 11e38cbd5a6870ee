/** A generator of numbers from 0 to 1 that a seed fixes. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // Weyl sequence with a finaliser (Steele et al., SplitMix).
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Keys drawn evenly from 0 … keys − 1. */
export function evenKeys(keys: number, count: number): Int32Array {
  const next = randomOf(3);
  return Int32Array.from({ length: count }, () => Math.floor(next() * keys));
}

/** Keys drawn by Zipf's law: key n in proportion to (n + 1) to the power −exponent. */
export function zipfKeys(keys: number, exponent: number, count: number): Int32Array {
  const next = randomOf(5);
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let key = 0; key < keys; key += 1) {
    sum += (key + 1) ** -exponent;
    sums[key] = sum;
  }
  return Int32Array.from({ length: count }, () => firstAbove(sums, next() * sum));
}

function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
