import { expect, test } from 'vitest';
import { generate } from '../generator/generator.js';
import { batchesOf } from '../input.js';
import { countOf, repeated, ShiftedBatches } from './shifted-batches.js';

const events = [...generate({ seed: 1, events: 700, rate: 100, disorderMs: 0 })];

test('repetitions are copies, whole windows later', () => {
  const batches = repeated(batchesOf(events), 1_000);
  expect(countOf(batches)).toBe(1_400);
  const [first, , second] = batches;
  expect(second!.values).toEqual(first!.values);
  expect(second!.values[0]).not.toBe(first!.values[0]);
  expect(second!.timestamps[0]! - first!.timestamps[0]!).toBe(100_000);
});

test('enough events are not repeated', () => {
  expect(repeated(batchesOf(events), 700)).toEqual(batchesOf(events));
});

test('shifted batches are the same events later each time', () => {
  const batches = new ShiftedBatches(batchesOf(events));
  const firstTime = (): number => batches.next()[0]!.timestamps[0]!;
  expect([firstTime(), firstTime(), firstTime()]).toEqual(
    [0, 100_000, 200_000].map((shift) => events[0]!.dateTime + shift),
  );
  expect(batches.next()[0]!.values).toBeInstanceOf(Array);
});
