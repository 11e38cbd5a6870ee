import type { Random } from './random.js';

const scratch = Buffer.alloc(128);
const letterA = 97;

/**
 * A text of exactly `length` (at most 128) characters: small letters, and one in thirteen the
 * `special` character.
 */
export function nextText(random: Random, length: number, special = ' '): string {
  const specialCode = special.charCodeAt(0);
  for (let i = 0; i < length; i++) {
    scratch[i] = random.nextInt(13) === 0 ? specialCode : letterA + random.nextInt(26);
  }
  return scratch.toString('latin1', 0, length);
}

/** A price of 100 … 100,000,000 whose logarithm is evenly spread. */
export function nextPrice(random: Random): number {
  return Math.round(10 ** (6 * random.nextFraction()) * 100);
}
