import {
  customWatermarks,
  defineJob,
  type OnError,
  punctuatedWatermarks,
  type WatermarkStrategy,
  watermarks,
} from '@millrace/core';
import type { Stream } from '@millrace/core/spi';
import {
  aggregate,
  count,
  keyBy,
  keyedProcess,
  map,
  sinkTo,
  tumbling,
  type,
  window,
} from '@millrace/operators';
import { driveJob, type JobDriver, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

interface Rec {
  readonly key: string;
  readonly at: number;
  readonly v: number;
}

const rec = (key: string, at: number, v = 1): Rec => ({ key, at, v });
const byTime = watermarks((r: Rec) => r.at, { step: 1, farFuture: 'off' });

/** Throws at the first `failures` calls for records of 13. */
function failing(failures: number): (r: Rec) => Rec {
  let failed = 0;
  return (r) => {
    if (r.v !== 13 || failed === failures) return r;
    failed += 1;
    throw new RangeError('unlucky');
  };
}

const thrice: OnError = { action: 'retry', attempts: 3 };

describe.each(['on', 'off'] as const)('failures, codegen %s', (codegen) => {
  /** Sends records, some at a time, through `define` into the sink `out`. */
  async function drive(
    define: (source: Stream<Rec>) => Stream<unknown>,
    strategy: WatermarkStrategy<Rec>,
    ...sends: readonly (readonly Rec[])[]
  ): Promise<JobDriver> {
    const job = defineJob('failing', {}, (b) => {
      define(b.source('in', new ManualSource<Rec>(), strategy)).pipe(
        sinkTo('out', new RecordingSink()),
      );
    });
    const driven = await driveJob(job, { codegen });
    for (const records of sends) await driven.send('in', records);
    await driven.finish();
    return driven;
  }

  describe('a record that is tried again', () => {
    const records = [rec('a', 5), rec('a', 7, 13), rec('a', 9)];

    test('is not late behind its own punctuation', async () => {
      const strategy = punctuatedWatermarks(
        (r: Rec) => r.at,
        (r: Rec) => r.at + 1,
        { farFuture: 'off' },
      );
      const driven = await drive(
        (source) =>
          source.pipe(
            map(failing(1), { onError: thrice }),
            keyBy((r) => r.key),
            window('w', tumbling(1)),
            aggregate({ n: count() }),
          ),
        strategy,
        records,
      );
      expect(driven.values('out')).toMatchObject(
        [5, 7, 9].map((start) => ({ n: 1, window: { start } })),
      );
    });

    test.each([1, 2])('is not overtaken by its own watermark: %d failures', async (failures) => {
      const outOf = async (times: number): Promise<readonly unknown[]> => {
        const driven = await drive(
          (source) =>
            source.pipe(
              map(failing(times), { onError: thrice }),
              keyBy((r) => r.key),
              keyedProcess('p', {
                output: type<string>(),
                process(r: Rec, context) {
                  context.timers.due.set(6);
                  context.emit(`record ${r.at} at ${context.watermark}`);
                },
                onEventTime: { due: (at, context) => context.emit(`timer ${at}`) },
              }),
            ),
          byTime,
          records,
        );
        return driven.values('out');
      };
      expect(await outOf(failures)).toEqual(await outOf(0));
    });

    test('is shown to a generator of watermarks once', async () => {
      const seen: number[] = [];
      const strategy = customWatermarks(
        (r: Rec) => r.at,
        () => ({ onRecord: (_r, t) => seen.push(t), current: () => -Infinity }),
        { farFuture: 'off' },
      );
      await drive((source) => source.pipe(map(failing(2), { onError: thrice })), strategy, records);
      expect(seen).toEqual([5, 7, 9]);
    });
  });
});
