import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { murmur3, murmur3OfNineBytes } from './murmur3.js';

/** Published vectors of MurmurHash3_x86_32: input in hex or as text, seed, hash. */
const hexVectors: [string, number, number][] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['ffffffff', 0, 0x76293b50],
  ['21436587', 0, 0xf55b516b],
  ['21436587', 0x5082edee, 0x2362f9de],
  ['214365', 0, 0x7e4a8634],
  ['2143', 0, 0xa0f7b07a],
  ['21', 0, 0x72661cf4],
  ['00000000', 0, 0x2362f9de],
  ['000000', 0, 0x85f0b427],
  ['0000', 0, 0x30f4c306],
  ['00', 0, 0x514e28b7],
];
const textVectors: [string, number, number][] = [
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aa', 0x9747b28c, 0x5d211726],
  ['a', 0x9747b28c, 0x7fa09ea6],
  ['abcd', 0x9747b28c, 0xf0478627],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
];

describe('murmur3', () => {
  test.each(hexVectors)('of the bytes %s with seed %d', (hex, seed, hash) => {
    expect(murmur3(Buffer.from(hex, 'hex'), seed)).toBe(hash);
  });
  test.each(textVectors)('of the text %j with seed %d', (text, seed, hash) => {
    expect(murmur3(Buffer.from(text), seed)).toBe(hash);
  });

  test('hashes a given length from the start', () => {
    expect(murmur3(Buffer.from('aaaaXYZ'), 0x9747b28c, 4)).toBe(0x5a97808a);
  });

  test('of nine bytes in registers is that of nine bytes in an array', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), word, word, (first, high, low) => {
        const bytes = Buffer.alloc(9, first);
        bytes.writeUInt32BE(high, 1);
        bytes.writeUInt32BE(low, 5);
        expect(murmur3OfNineBytes(first, high | 0, low | 0)).toBe(murmur3(bytes));
      }),
    );
  });
});
