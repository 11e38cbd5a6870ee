import { describe, expect, test } from 'vitest';
import { euroText } from './euro.js';
import { euroByBigInt } from './reference/euro.js';

describe('euroText', () => {
  test('is exact to three places', () => {
    const small = Array.from({ length: 5_000 }, (_, price) => price);
    const large = [1_101_322, 99_999_999, 100_000_000, 1_101_321_586, 2 ** 31 - 1];
    for (const price of [...small, ...large]) {
      expect(euroText(price)).toBe(euroByBigInt(price));
    }
  });
});
