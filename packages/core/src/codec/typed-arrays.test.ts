import { expect, test } from 'vitest';
import { swapElements } from './typed-arrays.js';

test('on big-endian machines the bytes of each element are swapped', () => {
  expect(swapElements(Uint8Array.of(1, 2, 3, 4), 1)).toEqual(Uint8Array.of(1, 2, 3, 4));
  expect(swapElements(Uint8Array.of(1, 2, 3, 4), 2)).toEqual(Uint8Array.of(2, 1, 4, 3));
  expect(swapElements(Uint8Array.of(1, 2, 3, 4), 4)).toEqual(Uint8Array.of(4, 3, 2, 1));
});
