import { expect, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import type { SplitCursor } from './split-cursor.js';
import { SplitQueueReader } from './split-queue-reader.js';

/** A split that has what a test puts there. */
class ManualCursor implements SplitCursor<number> {
  readonly queue: number[] = [];
  isClosed = false;
  private readonly split: string;

  constructor(split: string) {
    this.split = split;
  }
  get isReady(): boolean {
    return this.queue.length > 0;
  }
  get isEmpty(): boolean {
    return this.queue.length === 0;
  }
  poll(max: number) {
    const values = this.queue.splice(0, max);
    const splitEnded = values.at(-1) === -1;
    return { split: this.split, values, start: 0, count: values.length, splitEnded };
  }
  position(): number {
    return this.queue.length;
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
}

function readerOf(count: number) {
  const cursors = new Map<string, ManualCursor>();
  const wakes = new Map<string, () => void>();
  const reader = new SplitQueueReader<number>((split, wake) => {
    const cursor = new ManualCursor(split.id);
    cursors.set(split.id, cursor);
    wakes.set(split.id, wake);
    return cursor;
  });
  const ids = Array.from({ length: count }, (_, index) => `s${index}`);
  reader.addSplits(ids.map((id) => ({ id })));
  const put = (id: string, ...values: number[]): void => {
    cursors.get(id)!.queue.push(...values);
    wakes.get(id)!();
  };
  const polled = () => {
    const chunk = reader.poll(2);
    return typeof chunk === 'object' ? [chunk.split, ...chunk.values] : chunk;
  };
  return { reader, cursors, put, polled };
}

/** Whether a promise has resolved by now. */
async function hasResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false;
  promise.then(() => {
    resolved = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return resolved;
}

test('splits take turns', () => {
  const { put, polled } = readerOf(2);
  expect(polled()).toBeUndefined();
  put('s0', 1, 2, 3, 4);
  put('s1', 5);
  expect([polled(), polled(), polled(), polled()]).toEqual([
    ['s0', 1, 2],
    ['s1', 5],
    ['s0', 3, 4],
    undefined,
  ]);
});

test('available waits for data of a split that is not paused', async () => {
  const { reader, put, polled } = readerOf(2);
  polled();
  reader.pauseSplits(['s0']);
  const available = reader.available();
  put('s0', 1);
  await expect(hasResolved(available)).resolves.toBe(true);
  // Woken, but there is nothing to have; the next wait must not return at once.
  expect(polled()).toBeUndefined();
  const again = reader.available();
  expect(await hasResolved(again)).toBe(false);
  reader.resumeSplits(['s0']);
  expect(await hasResolved(again)).toBe(true);
  expect(polled()).toEqual(['s0', 1]);
});

test('ends when all splits have ended and no more come', async () => {
  const { reader, put, polled } = readerOf(1);
  polled();
  put('s0', -1);
  expect(polled()).toEqual(['s0', -1]);
  expect(polled()).toBeUndefined();
  const available = reader.available();
  reader.noMoreSplits();
  expect(await hasResolved(available)).toBe(true);
  expect(polled()).toBe('end');
});

test('opens a bounded number of splits, and another for each one that is paused or ends', () => {
  const max = connectorLimits.openSplitsMax;
  const { reader, cursors, put, polled } = readerOf(max + 3);
  polled();
  expect(cursors.size).toBe(max);
  reader.pauseSplits(['s0']);
  polled();
  expect(cursors.size).toBe(max + 1);
  put('s1', -1);
  polled();
  polled();
  expect(cursors.size).toBe(max + 2);
  expect(reader.snapshot()).toHaveLength(max + 2);
  expect(reader.snapshot()).toContainEqual({ id: `s${max + 2}` });
});

test('knows of no split that it is empty before it is open', () => {
  const max = connectorLimits.openSplitsMax;
  const { reader, put, polled } = readerOf(max + 1);
  const last = `s${max}`;
  const empty = () => ['s0', 's1', last].filter((id) => reader.isSplitEmpty(id));
  expect(empty()).toEqual([]);
  polled();
  expect(empty()).toEqual(['s0', 's1']);
  put('s0', 1, 2, 3);
  polled();
  expect(empty()).toEqual(['s1']);
  polled();
  put('s1', -1);
  polled();
  expect(empty()).toEqual(['s0']);
  polled();
  expect(empty()).toEqual(['s0', last]);
});

test('closes what is open', async () => {
  const { reader, cursors, polled } = readerOf(2);
  polled();
  await reader.close();
  expect([...cursors.values()].map(({ isClosed }) => isClosed)).toEqual([true, true]);
});
