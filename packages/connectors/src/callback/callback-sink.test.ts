import { RecordBatch, type Sink } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { batchCallbackSink, callbackSink } from './callback-sink.js';

function batchOf(...values: readonly number[]): RecordBatch {
  const batch = new RecordBatch();
  for (const value of values) batch.emit(value, 0);
  return batch;
}

test('a synchronous function is called with each record at once', () => {
  const seen: number[] = [];
  const sink = callbackSink<number>((value) => {
    seen.push(value);
  });
  expect(sink.createWriter(testContext()).write(batchOf(1, 2))).toBeUndefined();
  expect(seen).toEqual([1, 2]);
});

test('the next record waits for the promise of the last', async () => {
  const seen: string[] = [];
  const sink = callbackSink<number>(async (value) => {
    seen.push(`begin ${value}`);
    await Promise.resolve();
    seen.push(`end ${value}`);
  });
  await sink.createWriter(testContext()).write(batchOf(1, 2));
  expect(seen).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
});

test('a rejection comes through', async () => {
  const sink = callbackSink<number>(async (value) => {
    if (value === 2) throw new Error('full');
  });
  await expect(sink.createWriter(testContext()).write(batchOf(1, 2, 3))).rejects.toThrow('full');
});

/** As query builders are: it does nothing before somebody waits for it. */
function lazily(action: () => void): PromiseLike<void> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: what is no Promise and can be awaited is meant
    then: (resolve, reject) => Promise.resolve().then(action).then(resolve, reject),
  };
}

describe.each<[string, (take: (value: number) => PromiseLike<void>) => Sink<number>]>([
  ['each record', callbackSink],
  ['a batch', (take) => batchCallbackSink(([first]) => take(first!))],
])('for %s a function may return what is awaited like a promise', (_name, sinkOf) => {
  test('which is', async () => {
    const seen: number[] = [];
    const sink = sinkOf((value) => lazily(() => seen.push(value)));
    await sink.createWriter(testContext()).write(batchOf(1));
    expect(seen).toEqual([1]);
  });

  test('whose rejection comes through', async () => {
    const sink = sinkOf(() =>
      lazily(() => {
        throw new Error('full');
      }),
    );
    await expect(sink.createWriter(testContext()).write(batchOf(1))).rejects.toThrow('full');
  });
});

test('a batch function gets an array of its own', async () => {
  const seen: (readonly number[])[] = [];
  const sink = batchCallbackSink<number>((values) => {
    seen.push(values);
  });
  const batch = batchOf(1, 2);
  await sink.createWriter(testContext()).write(batch);
  batch.values[0] = 9;
  expect(seen).toEqual([[1, 2]]);
});
