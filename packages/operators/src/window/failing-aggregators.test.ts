import { defineJob, type OnError, watermarks } from '@millrace/core';
import type { Aggregator } from '@millrace/core/spi';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  aggregator,
  collect,
  customWindows,
  distinctCount,
  keyBy,
  maxBy,
  session,
  sinkTo,
  sliding,
  sum,
  tumbling,
  type WindowAssigner,
  window,
} from '../index.js';

interface Rec {
  readonly at: number;
  readonly v: number;
}

interface Row {
  readonly window: { readonly start: number };
  readonly [name: string]: unknown;
}

type Aggregators = Readonly<Record<string, Aggregator<Rec, unknown>>>;

const rec = (at: number, v = 1): Rec => ({ at, v });
const unlucky = 13;

const boom = (): never => {
  throw new RangeError('unlucky');
};

interface Run {
  readonly codegen: 'on' | 'off';
  readonly assigner: WindowAssigner;
  readonly onError?: OnError;
  readonly aggregators: Aggregators;
}

async function driverOf({ codegen, assigner, onError = 'fail', aggregators }: Run) {
  const job = defineJob('aggregators', {}, (builder) => {
    builder
      .source(
        'in',
        new ManualSource<Rec>(),
        watermarks((r: Rec) => r.at, { outOfOrderness: 100, farFuture: 'off' }),
      )
      .pipe(
        keyBy(() => 'a'),
        window('w', assigner, { onError }),
        aggregate(aggregators),
      )
      .pipe(sinkTo('out', new RecordingSink()));
  });
  return driveJob(job, { codegen });
}

async function rowsOf(run: Run, records: readonly Rec[]): Promise<readonly Row[]> {
  const driver = await driverOf(run);
  await driver.send('in', records);
  await driver.finish();
  return driver.values('out') as readonly Row[];
}

const fives: WindowAssigner = customWindows('fives', (t) => {
  const start = Math.floor(t / 5) * 5;
  return [
    { start: start - 5, end: start + 5 },
    { start, end: start + 10 },
  ];
});

describe.each(['on', 'off'] as const)('an aggregator that throws, codegen %s', (codegen) => {
  test.each([
    ['tumbling', tumbling(10)],
    ['sliding', sliding(10, 5)],
    ['custom', fives],
    ['session', session(10)],
  ] as const)('%s: those beside it do not have the record', async (_name, assigner) => {
    const unluckyOnce = { action: 'retry', attempts: 2 } as const;
    for (const onError of ['skip', unluckyOnce] as const) {
      let failures = 0;
      const strict = aggregator<Rec, number, number>({
        create: () => 0,
        add(total, { v }) {
          if (v !== unlucky || (onError === unluckyOnce && failures > 0)) return total + v;
          failures += 1;
          return boom();
        },
        merge: (into, from) => into + from,
        result: (total) => total,
      });
      const rows = await rowsOf(
        {
          codegen,
          assigner,
          onError,
          aggregators: {
            all: collect((r: Rec) => r.v),
            values: distinctCount((r: Rec) => r.v),
            best: maxBy(() => 1, { ties: 'all' }),
            sum: sum((r: Rec) => r.v),
            strict,
          },
        },
        [rec(5), rec(7, unlucky), rec(9, 2)],
      );
      expect(failures).toBe(1);
      const [all, total] = onError === 'skip' ? [[1, 2], 3] : [[1, unlucky, 2], 16];
      const expected = { all, values: all.length, sum: total, strict: total };
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        expect(row).toMatchObject(expected);
        expect(row.best).toHaveLength(all.length);
      }
    }
  });

  test.each([
    ['sliding', sliding(10, 5)],
    ['custom', fives],
  ] as const)('%s: a record that throws in its last window is in none', async (_name, assigner) => {
    const limited = aggregator<Rec, number, number>({
      create: () => 0,
      add: (total, { v }) => (total >= 2 && v === unlucky ? boom() : total + v),
      result: (total) => total,
    });
    const aggregators = { limited, all: collect((r: Rec) => r.v) };
    const run: Run = { codegen, assigner, onError: 'skip', aggregators };
    // The first is in [5, 15) and [10, 20), the unlucky one in [0, 10) and [5, 15).
    const rows = await rowsOf(run, [rec(12, 2), rec(7, unlucky)]);
    expect(rows.map((r) => [r.window.start, r.limited, r.all])).toEqual([
      [5, 2, [2]],
      [10, 2, [2]],
    ]);
  });

  describe.each([
    // Slices are merged at once first, then row by row.
    ['sliding', sliding(10, 5), 2],
    ['session', session(5), 1],
  ] as const)('%s: an accumulator that cannot be made in a firing', (_name, assigner, attempt) => {
    async function fired(onError: OnError, failuresMax = Infinity) {
      let failures = -Infinity;
      const fragile = aggregator<Rec, { readonly n: number }, number>({
        create() {
          if (failures >= failuresMax || failures < 0) return { n: 0 };
          failures += 1;
          return boom();
        },
        add: ({ n }, { v }) => ({ n: n + v }),
        merge: (into, from) => ({ n: into.n + from.n }),
        result: ({ n }) => n,
      });
      const driver = await driverOf({ codegen, assigner, onError, aggregators: { fragile } });
      await driver.send('in', [rec(31), rec(1), rec(7)]);
      failures = 0;
      await driver.finish();
      const rows = driver.values('out') as readonly Row[];
      return { failures, starts: rows.map((row) => row.window.start) };
    }

    test('fail: the error is the author’s', async () => {
      await expect(fired('fail')).rejects.toMatchObject({
        code: 'ERR_FUNCTION_THREW',
        operator: 'w',
      });
    });

    test('skip: the others have their results; retry: it has, too', async () => {
      const { starts } = await fired('fail', 0);
      const skipped = await fired('skip', attempt);
      expect(skipped.failures).toBe(attempt);
      expect(starts).toEqual(expect.arrayContaining(skipped.starts));
      expect(skipped.starts).toHaveLength(starts.length - 1);
      const retried = await fired({ action: 'retry', attempts: 3 }, attempt + 1);
      expect(retried).toEqual({ failures: attempt + 1, starts });
    });
  });
});
