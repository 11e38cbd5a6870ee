import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyGoldenVectors } from './golden-vectors.js';
import { encodeKey } from './key-codec.js';
import { keyGroupOf, keyGroupOfBytes, keyGroupRange, keyHash, subtaskOf } from './key-groups.js';
import { murmur3 } from './murmur3.js';

describe('the key group of a key', () => {
  test.each(keyGoldenVectors)('$key has hash $hash and group $group, for ever', (vector) => {
    expect(keyHash(vector.key)).toBe(vector.hash);
    expect(keyGroupOf(vector.key, 256)).toBe(vector.group);
    expect(keyGroupOfBytes(Buffer.from(vector.bytes, 'hex'), 256)).toBe(vector.group);
  });

  test('of a number is that of its bytes, though they are never written', () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger());
    fc.assert(fc.property(number, (key) => keyHash(key) === murmur3(encodeKey(key))));
  });

  test('spreads consecutive integers evenly', () => {
    const counts = new Array(256).fill(0);
    for (let key = 0; key < 256_000; key++) counts[keyGroupOf(key, 256)]++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });
});

describe('the ranges of subtasks', () => {
  const layout = fc
    .integer({ min: 1, max: 1_024 })
    .chain((groups) => fc.tuple(fc.integer({ min: 1, max: groups }), fc.constant(groups)));

  test('partition all key groups, in order, with sizes that differ by at most one', () => {
    fc.assert(
      fc.property(layout, ([parallelism, groups]) => {
        let next = 0;
        for (let subtask = 0; subtask < parallelism; subtask++) {
          const { first, last } = keyGroupRange(subtask, parallelism, groups);
          expect(first).toBe(next);
          expect([0, 1]).toContain(last - first + 1 - Math.floor(groups / parallelism));
          next = last + 1;
        }
        expect(next).toBe(groups);
      }),
    );
  });

  test('agree with subtaskOf', () => {
    fc.assert(
      fc.property(layout, fc.nat(), ([parallelism, groups], nat) => {
        const keyGroup = nat % groups;
        const { first, last } = keyGroupRange(
          subtaskOf(keyGroup, parallelism, groups),
          parallelism,
          groups,
        );
        expect(first <= keyGroup && keyGroup <= last).toBe(true);
      }),
    );
  });

  test('are those of Flink', () => {
    expect([0, 1, 2].map((subtask) => keyGroupRange(subtask, 3, 256))).toEqual([
      { first: 0, last: 85 },
      { first: 86, last: 170 },
      { first: 171, last: 255 },
    ]);
  });

  test.each([
    [0, 0, 256],
    [0, 257, 256],
    [3, 3, 256],
    [-1, 3, 256],
    [0.5, 3, 256],
    [0, 1, 0],
    [0, 1, 32_769],
    [0, 1, Number.NaN],
  ])('do not exist for subtask %d of %d with %d groups', (subtask, parallelism, groups) => {
    expect(() => keyGroupRange(subtask, parallelism, groups)).toThrow(/ERR_INVARIANT/);
    expect(() => subtaskOf(groups === 256 ? 256 : 0, parallelism, groups)).toThrow(/ERR_INVARIANT/);
  });
});
