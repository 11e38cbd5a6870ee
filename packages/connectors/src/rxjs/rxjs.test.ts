import { RecordBatch } from '@millrace/core/spi';
import { from, type Observable, of, range, Subject, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { openReader, readAll, readOn, testContext, valuesOf } from '../reading/reader-driver.js';
import { fromObservable, type OverflowPolicy } from './from-observable.js';
import { toObservable } from './to-observable.js';

describe('fromObservable', () => {
  test('gives what is emitted until it completes', async () => {
    const source = fromObservable(() => from([1, 2, 3]), { bufferMax: 10, onOverflow: 'fail' });
    expect(valuesOf(await readAll(source, 2))).toEqual([1, 2, 3]);
  });

  async function check(onOverflow: OverflowPolicy, expected: readonly number[], dropped: number) {
    const context = testContext();
    const source = fromObservable(() => of(1, 2, 3, 4, 5), { bufferMax: 3, onOverflow });
    const reader = await openReader(source, context);
    expect(valuesOf((await readOn(reader)).arrived)).toEqual(expected);
    expect(context.counters.get('numRecordsDropped')?.value).toBe(dropped);
  }
  test('drops the newest when told so', () => check('dropNewest', [1, 2, 3], 2));
  test('drops the oldest when told so', () => check('dropOldest', [3, 4, 5], 2));

  test('fails on overflow when told so, also of one that never lets go', async () => {
    const source = fromObservable(() => range(0, Number.MAX_SAFE_INTEGER), {
      bufferMax: 2,
      onOverflow: 'fail',
    });
    const reader = await openReader(source);
    expect(valuesOf((await readOn(reader, 10, 1)).arrived)).toEqual([0, 1]);
    await expect(readOn(reader)).rejects.toMatchObject({ code: 'ERR_SOURCE_OVERFLOW' });
  });

  test('wakes when something is emitted, and lets go when closed', async () => {
    const subject = new Subject<number>();
    const source = fromObservable(() => subject, { bufferMax: 2, onOverflow: 'fail' });
    const reader = await openReader(source);
    expect(reader.poll(1)).toBeUndefined();
    const available = reader.available();
    subject.next(1);
    await available;
    expect(reader.poll(1)).toMatchObject({ values: [1] });
    await reader.close?.();
    expect(subject.observed).toBe(false);
  });

  test('passes an error on', async () => {
    const source = fromObservable((): Observable<number> => throwError(() => new Error('gone')), {
      bufferMax: 1,
      onOverflow: 'fail',
    });
    await expect(readAll(source)).rejects.toMatchObject({
      code: 'ERR_SOURCE_FAILED',
      message: expect.stringContaining('gone'),
    });
  });
});

describe('toObservable', () => {
  async function writeTo(sink: ReturnType<typeof toObservable<number>>['sink'], subtask = 0) {
    const writer = sink.createWriter({ ...testContext(undefined, 2), subtask });
    const batch = new RecordBatch();
    batch.emit(subtask * 10 + 1, 0);
    batch.emit(subtask * 10 + 2, 0);
    await writer.open?.();
    writer.write(batch);
    await writer.finish?.();
  }

  test('delivers records as they come and completes after the last subtask', async () => {
    const { sink, observable } = toObservable<number>();
    const seen: unknown[] = [];
    observable.subscribe({ next: (value) => seen.push(value), complete: () => seen.push('end') });
    await writeTo(sink, 0);
    expect(seen).toEqual([1, 2]);
    await writeTo(sink, 1);
    expect(seen).toEqual([1, 2, 11, 12, 'end']);
  });

  test('gives late subscribers the latest records when told so', async () => {
    const { sink, observable } = toObservable<number>({ bufferMax: 1 });
    await writeTo(sink);
    const seen: number[] = [];
    observable.subscribe((value) => seen.push(value));
    expect(seen).toEqual([2]);
  });
});
