import { join } from 'node:path';
import type { Random, Source } from '@millrace/core/spi';
import { EMPTY, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { csvSource } from '../files/csv-source.js';
import { ndjsonSource } from '../files/ndjson-source.js';
import { folderWith } from '../files/temporary-folder-driver.js';
import { generator } from '../generator/generator.js';
import { fromArray } from '../memory/from-array.js';
import { fromAsyncIterable } from '../memory/from-async-iterable.js';
import { fromIterable } from '../memory/from-iterable.js';
import { fromObservable } from '../rxjs/from-observable.js';
import { stdinSource } from '../stdin/stdin-source.js';
import {
  manualTime,
  openSource,
  readAll,
  readOn,
  readWithRestarts,
  type SourceSnapshot,
  testContext,
  valuesOf,
} from './reader-driver.js';

const numbers = Array.from({ length: 23 }, (_, index) => index);
const sorted = (values: readonly unknown[]) => [...values].sort((a, b) => Number(a) - Number(b));
async function* counted(): AsyncGenerator<number> {
  yield* numbers;
}
const files = () =>
  folderWith({
    'a.txt': `${numbers.slice(0, 12).join('\n')}\n`,
    'b.txt': `${numbers.slice(12).join('\n')}\n`,
  });

const replaying: readonly [string, () => Source<unknown>][] = [
  ['fromArray', () => fromArray(numbers, { splits: 3 })],
  ['fromIterable', () => fromIterable(() => numbers, { repeats: true })],
  ['fromAsyncIterable', () => fromAsyncIterable(counted, { repeats: true, prefetchMax: 4 })],
  ['generator', () => generator({ seed: 1, count: 23, splits: 2, create: (index) => index })],
  ['ndjsonSource', () => ndjsonSource({ path: join(files(), '*.txt') })],
  [
    'csvSource',
    () => csvSource({ path: join(files(), '*.txt'), header: false, columns: { n: 'integer' } }),
  ],
];

describe.each(replaying)('%s', (_name, source) => {
  test('replays exactly from the snapshot after any chunk, and ends when it has ended', async () => {
    expect(source().replay).toBe('exact');
    for (const max of [1, 2, 5, 100]) {
      const values = valuesOf(await readWithRestarts(source(), max)).map((value) =>
        typeof value === 'object' ? (value as { n: number }).n : value,
      );
      expect(sorted(values)).toEqual(numbers);
    }
  });

  test('reads no split again that had ended', async () => {
    const one = source();
    const first = await openSource(one);
    await readOn(first.reader);
    const snapshot = first.snapshot();
    await first.reader.close?.();
    expect(snapshot.splits).toEqual([]);
    const second = await openSource(one, undefined, snapshot);
    expect(await readOn(second.reader)).toEqual({ arrived: [], hasEnded: true });
  });
});

test('a generator with a rate goes on with the same records', async () => {
  const time = manualTime();
  const create = (index: number, random: Random) => [index, random.next()];
  const paced = generator({ seed: 3, ratePerSecond: 10, create });
  const seen: unknown[] = [];
  let snapshot: SourceSnapshot | undefined;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const opened = await openSource(paced, testContext(time.env), snapshot);
    for (const waitMs of [0, 700]) {
      time.advance(waitMs);
      const chunk = opened.reader.poll(100);
      if (typeof chunk === 'object') seen.push(...chunk.values);
    }
    snapshot = opened.snapshot();
    await opened.reader.close?.();
  }
  const unpaced = generator({ seed: 3, count: 24, create });
  expect(seen).toEqual(valuesOf(await readAll(unpaced)));
});

test.each<[string, Source<unknown>]>([
  ['stdinSource', stdinSource({ format: 'lines' })],
  ['fromObservable', fromObservable(() => of(1), { bufferMax: 1, onOverflow: 'fail' })],
  ['fromIterable', fromIterable(() => numbers)],
  ['fromAsyncIterable', fromAsyncIterable(counted)],
])('%s says that it cannot replay', (_name, source) => {
  expect(source.replay).toBe('none');
});

test('a source that cannot replay does not begin anew either, once it had ended', async () => {
  const source = fromObservable(() => EMPTY, { bufferMax: 1, onOverflow: 'fail' });
  const first = await openSource(source);
  await readOn(first.reader);
  expect(first.snapshot()).toEqual({ enumerator: 'done', splits: [] });
});

describe('what is said to repeat and does not', () => {
  async function restarted(source: Source<unknown>): Promise<unknown> {
    const first = await openSource(source);
    await readOn(first.reader, 5, 1);
    const snapshot = first.snapshot();
    await first.reader.close?.();
    return readOn((await openSource(source, undefined, snapshot)).reader);
  }
  const once = numbers.values();
  const onceLater = counted();

  test.each<[string, Source<unknown>]>([
    ['an iterator', fromIterable(() => once, { repeats: true })],
    ['an async iterator', fromAsyncIterable(() => onceLater, { repeats: true })],
  ])('%s is refused at the restart', async (_name, source) => {
    await expect(restarted(source)).rejects.toThrow(/ERR_INVALID_OPTION.*same iterator twice/);
  });

  test.each<[string, (iterate: () => readonly number[]) => Source<unknown>]>([
    ['an iteration', (iterate) => fromIterable(iterate, { repeats: true })],
    [
      'an async iteration',
      (iterate) =>
        fromAsyncIterable(
          async function* () {
            yield* iterate();
          },
          { repeats: true },
        ),
    ],
  ])('%s that became shorter is refused', async (_name, sourceOf) => {
    let length = 12;
    const shorter = (): readonly number[] => {
      length -= 6;
      return numbers.slice(0, length);
    };
    await expect(restarted(sourceOf(shorter))).rejects.toThrow(
      /ERR_SOURCE_CHANGED.*\d records were read, but the iteration now gives only 0/,
    );
  });

  test('an array that became shorter is refused', async () => {
    const records = [...numbers];
    const source = fromArray(records);
    const first = await openSource(source);
    await readOn(first.reader, 5, 1);
    records.length = 4;
    const second = await openSource(source, undefined, first.snapshot());
    await expect(readOn(second.reader)).rejects.toThrow(
      /ERR_SOURCE_CHANGED.*record 4 was read, but there are only 4/,
    );
  });
});
