import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  openReader,
  readAll,
  readOn,
  readWithRestarts,
  valuesOf,
} from '../reading/reader-driver.js';
import { fromArray } from './from-array.js';
import { fromAsyncIterable } from './from-async-iterable.js';
import { fromIterable } from './from-iterable.js';

const numbers = Array.from({ length: 10 }, (_, index) => index);
const sorted = (values: readonly unknown[]) => [...values].sort((a, b) => Number(a) - Number(b));

describe('fromArray', () => {
  test('gives its records, dealt out to its splits', async () => {
    const arrived = await readAll(fromArray(numbers, { splits: 3 }), 2);
    expect(sorted(valuesOf(arrived))).toEqual(numbers);
    for (const { split, value, position } of arrived) {
      expect(split).toBe(String((value as number) % 3));
      expect(position).toBe(String(value));
    }
  });

  test('a restart goes on exactly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(20),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        async (count, splits, max) => {
          const records = Array.from({ length: count }, (_, index) => index);
          const arrived = await readWithRestarts(fromArray(records, { splits }), max);
          expect(sorted(valuesOf(arrived))).toEqual(records);
        },
      ),
    );
  });

  test('gives each chunk an array of its own', async () => {
    const reader = await openReader(fromArray(numbers));
    const first = reader.poll(3);
    reader.poll(3);
    expect(first).toMatchObject({ values: [0, 1, 2], start: 0, count: 3 });
  });

  test.each([0, 1.5, 10_001])('refuses %d splits', (splits) => {
    expect(() => fromArray([], { splits })).toThrow(/ERR_INVALID_OPTION.*splits/);
  });
});

describe.each([
  ['fromIterable', (repeats: boolean) => fromIterable(() => numbers, { repeats })],
  [
    'fromAsyncIterable',
    (repeats: boolean) =>
      fromAsyncIterable(
        async function* () {
          yield* numbers;
        },
        { repeats, prefetchMax: 3 },
      ),
  ],
])('%s', (_name, source) => {
  test('gives what the factory gives', async () => {
    expect(valuesOf(await readAll(source(false), 4))).toEqual(numbers);
  });
  test('goes on exactly when the iteration repeats', async () => {
    expect(source(true).replay).toBe('exact');
    expect(valuesOf(await readWithRestarts(source(true), 3))).toEqual(numbers);
  });
  test('begins anew otherwise', async () => {
    expect(source(false).replay).toBe('none');
    const reader = await openReader(source(false));
    await readOn(reader, 3, 1);
    expect(reader.snapshot()).toEqual([{ id: '0' }]);
  });
});

test('fromAsyncIterable asks for a bounded number of records ahead, and ends the iteration', async () => {
  let asked = 0;
  let isEnded = false;
  const source = fromAsyncIterable(
    async function* () {
      try {
        for (;;) yield asked++;
      } finally {
        isEnded = true;
      }
    },
    { prefetchMax: 5, bounded: false },
  );
  const reader = await openReader(source);
  await readOn(reader, 2, 1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toBeLessThanOrEqual(5 + 2);
  await reader.close?.();
  expect(isEnded).toBe(true);
});

test('what an async iterable throws comes after the records before it', async () => {
  const source = fromAsyncIterable(async function* () {
    yield 1;
    throw new Error('gone');
  });
  const reader = await openReader(source);
  expect((await readOn(reader, 5, 1)).arrived).toMatchObject([{ value: 1 }]);
  await expect(readOn(reader)).rejects.toThrow('gone');
});

test('closing does not wait for an item that never comes', async () => {
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const reader = await openReader(fromAsyncIterable(() => never));
  reader.poll(1);
  await reader.close?.();
});
