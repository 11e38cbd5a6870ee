import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateLimits } from '../limits.js';
import type { StateLayout } from './block.js';
import { type MergeInput, type MergeUnit, mergeUnits, runsOf } from './merge-units.js';
import type { BlockEntry } from './segment-footer.js';

const layout: StateLayout = {
  operator: 'velocity',
  state: 'sums',
  kind: 'value',
  version: 1,
  shape: '',
  numbers: 1,
  blobs: 0,
  identityNumbers: 0,
  identityBlobs: 0,
};

const entryOf = (lowGroup: number, highGroup: number, rest: Partial<BlockEntry> = {}) => ({
  offset: 0,
  length: 4_000,
  crc: 0,
  layout: 0,
  kind: 'rows' as const,
  namespace: [],
  lowGroup,
  highGroup,
  count: 512,
  ...rest,
});

const inputOf = (blocks: readonly BlockEntry[]): MergeInput => ({
  index: { layouts: [layout], blocks, bytes: 0 },
  read: () => Promise.reject(new Error('nothing to read')),
});

function unitOf(blocks: readonly BlockEntry[]): MergeUnit {
  const [unit, ...others] = mergeUnits([inputOf(blocks)]);
  expect(others).toEqual([]);
  return unit!;
}

test('a unit is a state in a namespace, without what a drop hides', () => {
  const older = inputOf([entryOf(1, 1), entryOf(2, 2, { namespace: [7] })]);
  const newer = inputOf([entryOf(3, 3), entryOf(0, 0, { kind: 'drop' }), entryOf(4, 4)]);
  const groups = mergeUnits([older, newer]).map(({ namespace, isDropped, parts }) => [
    namespace,
    isDropped,
    parts.flatMap(({ entries }) => entries.map(({ lowGroup }) => lowGroup)),
  ]);
  expect(groups).toEqual([
    [[], true, [4]],
    [[7], false, [2]],
  ]);
});

test('few rows are one run of all key groups', () => {
  expect(runsOf(unitOf([entryOf(3, 90), entryOf(100, 200)]))).toEqual([{ first: 0, last: 0xffff }]);
});

test('large blobs make for short runs, too', () => {
  const length = stateLimits.mergeBytesMax / 2;
  const blocks = [0, 1, 2, 3].map((group) => entryOf(group, group, { count: 1, length }));
  expect(runsOf(unitOf(blocks))).toEqual([
    { first: 0, last: 1 },
    { first: 2, last: 0xffff },
  ]);
});

test('runs cover each key group once, and hold no more than a merge may, or one key group', () => {
  const block = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 5 }))
    .map(([group, more]) => entryOf(group, group + more));
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 400 }), (blocks) => {
      const runs = runsOf(unitOf(blocks));
      let next = 0;
      for (const { first, last } of runs) {
        expect(first).toBe(next);
        next = last + 1;
        let rows = 0;
        for (const { lowGroup, highGroup, count } of blocks) {
          const inside = Math.min(highGroup, last) - Math.max(lowGroup, first) + 1;
          rows += (count * Math.max(0, inside)) / (highGroup - lowGroup + 1);
        }
        expect(rows <= stateLimits.mergeRowsMax + 1 || first === last).toBe(true);
      }
      expect(next).toBe(0x1_0000);
    }),
    { numRuns: 50 },
  );
});
