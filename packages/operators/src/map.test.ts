import {
  defineJob,
  type FunctionContext,
  type SetupContext,
  type Stream,
  watermarks,
} from '@millrace/core';
import { driveJob, ManualSource, RecordingSink, runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { filter, map, sinkTo } from './index.js';

const numbers = (...values: readonly number[]) =>
  values.map((record) => ({ record, at: record * 10 }));
const byTime = watermarks<number>(undefined, { step: 1, farFuture: 'off' });

const jobOf = (piece: (input: Stream<number>) => Stream<unknown>) =>
  defineJob('inline', {}, (job) => {
    piece(job.source('in', new ManualSource<number>(), byTime)).pipe(
      sinkTo('out', new RecordingSink()),
    );
  });

describe('map', () => {
  test('gives one record for each, in order, at the time of its input', async () => {
    const { main } = await runOperator(
      (s: Stream<number>) => s.pipe(map((n) => n * n)),
      numbers(1, 2, 3),
    );
    expect(main).toEqual([
      { value: 1, timestamp: 10 },
      { value: 4, timestamp: 20 },
      { value: 9, timestamp: 30 },
    ]);
  });

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['−0', -0],
    ['an empty text', ''],
    ['false', false],
  ])('%s is a record like any other', async (_name, value) => {
    const { main } = await runOperator(
      (s: Stream<number>) => s.pipe(map(() => value as unknown)),
      numbers(1, 2),
    );
    expect(main.map((r) => r.value)).toEqual([value, value]);
  });

  test('the context tells operator, subtask and event time', async () => {
    const { main } = await runOperator(
      (s: Stream<number>) =>
        s.pipe(
          map((_n, ctx) => [ctx.operatorId, ctx.subtask, ctx.parallelism, ctx.timestamp], {
            id: 'm',
          }),
        ),
      numbers(1, 2),
    );
    expect(main.map((r) => r.value)).toEqual([
      ['m', 0, 1, 10],
      ['m', 0, 1, 20],
    ]);
  });

  test('a function with a rest parameter gets the context', async () => {
    const { main } = await runOperator(
      (s: Stream<number>) => s.pipe(map((...all: [number, FunctionContext]) => all[1].timestamp)),
      numbers(1, 2),
    );
    expect(main.map((r) => r.value)).toEqual([10, 20]);
  });

  test('the watermark of the context is behind the record, never ahead of what was sent', async () => {
    const driver = await driveJob(jobOf((s) => s.pipe(map((_n, ctx) => ctx.watermark))));
    await driver.sendTimed('in', [{ value: 1, timestamp: 10 }]);
    await driver.sendTimed('in', [{ value: 2, timestamp: 20 }]);
    expect(driver.values('out')).toEqual([-Infinity, 10]);
  });

  test('counters of the context are metrics of the operator', async () => {
    const { metrics } = await runOperator(
      (s: Stream<number>) =>
        s.pipe(
          map(
            (n, ctx) => {
              ctx.metrics.counter('odd').inc(n % 2);
              return n;
            },
            { id: 'm' },
          ),
        ),
      numbers(1, 2, 3),
    );
    expect(metrics.m).toMatchObject({ odd: 2, numRecordsIn: 3, numRecordsOut: 3 });
  });
});

describe('filter', () => {
  test('keeps records as they are, and counts what it left out', async () => {
    const { main, metrics } = await runOperator(
      (s: Stream<number>) => s.pipe(filter((n) => n % 2 === 1, { id: 'odd' })),
      numbers(1, 2, 3),
    );
    expect(main).toEqual([
      { value: 1, timestamp: 10 },
      { value: 3, timestamp: 30 },
    ]);
    expect(metrics.odd).toMatchObject({ numRecordsIn: 3, numRecordsOut: 2 });
  });

  test('a filter that keeps nothing still lets time and the end through', async () => {
    const { main, metrics } = await runOperator(
      (s: Stream<number>) => s.pipe(filter(() => false)),
      numbers(1, 2, 3),
    );
    expect(main).toEqual([]);
    expect(metrics.main).toMatchObject({ currentInputWatermark: Infinity });
  });

  test('a chain counts for each member what reached it', async () => {
    const { metrics } = await runOperator(
      (s: Stream<number>) =>
        s.pipe(
          filter((n) => n > 1, { id: 'a' }),
          map((n) => n * 2, { id: 'b' }),
          filter((n) => n < 8, { id: 'c' }),
        ),
      numbers(1, 2, 3, 4),
    );
    expect(metrics.a).toMatchObject({ numRecordsIn: 4, numRecordsOut: 3 });
    expect(metrics.b).toMatchObject({ numRecordsIn: 3, numRecordsOut: 3 });
    expect(metrics.c).toMatchObject({ numRecordsIn: 3, numRecordsOut: 2 });
  });
});

describe('setup and teardown', () => {
  const logged = (log: string[], options: { readonly throwAt?: number } = {}) =>
    jobOf((s) =>
      s.pipe(
        map(
          (n, ctx) => {
            if (n === options.throwAt) throw new Error('unlucky');
            return n + ctx.resource.plus;
          },
          {
            id: 'm',
            setup: async (ctx: SetupContext) => {
              log.push(`setup ${ctx.operatorId}`);
              return { plus: 100 };
            },
            teardown: (resource) => void log.push(`teardown ${resource.plus}`),
          },
        ),
      ),
    );

  test('setup comes before the first record, teardown after the last', async () => {
    const log: string[] = [];
    const driver = await driveJob(logged(log));
    expect(log).toEqual(['setup m']);
    await driver.send('in', [1, 2]);
    await driver.finish();
    expect(driver.values('out')).toEqual([101, 102]);
    expect(log).toEqual(['setup m', 'teardown 100']);
  });

  test('teardown comes after a failure, too', async () => {
    const log: string[] = [];
    const driver = await driveJob(logged(log, { throwAt: 2 }));
    await expect(driver.send('in', [1, 2])).rejects.toMatchObject({ code: 'ERR_FUNCTION_THREW' });
    expect(log).toEqual(['setup m', 'teardown 100']);
  });

  test('and after cancelling', async () => {
    const log: string[] = [];
    const driver = await driveJob(logged(log));
    await driver.cancel();
    expect(log).toEqual(['setup m', 'teardown 100']);
  });
});

describe('records at which the function throws', () => {
  const thirteen = (n: number): number => {
    if (n === 13) throw new RangeError('unlucky');
    return n;
  };

  test.each([
    ['map', map(thirteen, { onError: 'skip', id: 'x' })],
    ['filter', filter((n: number) => thirteen(n) > 0, { onError: 'skip', id: 'x' })],
  ])('%s skips them however the input is cut', async (_name, operator) => {
    const { main, metrics } = await runOperator(
      (s: Stream<number>) => s.pipe(operator) as Stream<number>,
      numbers(13, 1, 13, 13, 2, 13),
    );
    expect(main.map((r) => r.value)).toEqual([1, 2]);
    expect(metrics.x).toMatchObject({ numRecordsSkipped: 4, numRecordsIn: 6, numRecordsOut: 2 });
  });

  test('dead letters carry record, operator and time, and lead to any operator', async () => {
    const { main, sides } = await runOperator(
      (s: Stream<number>) => s.pipe(map(thirteen, { onError: 'deadLetter', id: 'x' })),
      numbers(1, 13, 2),
      { sides: ['deadLetters'] },
    );
    expect(main.map((r) => r.value)).toEqual([1, 2]);
    expect(sides.deadLetters).toMatchObject([
      { value: { record: 13, operator: 'x', timestamp: 130 }, timestamp: 130 },
    ]);
  });
});
