import { describe, expect, test } from 'vitest';
import { euroText } from './euro.js';
import { euroByBigInt } from './reference/euro.js';

describe('euroText', () => {
  test('is exact to three places', () => {
    const prices = Array.from({ length: 5_000 }, (_, price) => price);
    for (const price of [...prices, 99_999_999, 100_000_000, 2 ** 31 - 1]) {
      expect(euroText(price)).toBe(euroByBigInt(price));
    }
  });
});
