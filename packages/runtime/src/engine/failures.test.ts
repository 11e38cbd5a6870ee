import {
  customWatermarks,
  defineJob,
  type OnError,
  punctuatedWatermarks,
  type WatermarkStrategy,
  watermarks,
} from '@millrace/core';
import type { DeadLetter, Stream, StreamWithSides } from '@millrace/core/spi';
import {
  aggregate,
  count,
  type DeadLetterOptions,
  filter,
  flatMap,
  keyBy,
  keyedProcess,
  map,
  sinkTo,
  sliding,
  tumbling,
  type,
  window,
  windowProcess,
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

  test.each(['map', 'filter', 'window'])(
    'a ceiling of 1 lets every record of a %s fail, and every window',
    async (operator) => {
      const onError = { action: 'skip', ceiling: 1 } as const;
      const refuse = (): never => {
        throw new RangeError('no');
      };
      const give: Record<string, (source: Stream<Rec>) => Stream<unknown>> = {
        map: (source) => source.pipe(map(refuse, { onError })),
        filter: (source) => source.pipe(filter(refuse, { onError })),
        // Of each record there are four windows.
        window: (source) =>
          source.pipe(
            keyBy((r) => r.key),
            window('w', sliding(40, 10), { onError }),
            windowProcess(refuse),
          ),
      };
      const records = Array.from({ length: 150 }, (_, at) => rec('a', at * 50));
      const driven = await drive(give[operator]!, byTime, records);
      expect(driven.values('out')).toEqual([]);
    },
  );

  describe('attempts', () => {
    const twice = { action: 'retry', attempts: 2 } as const;

    /** Throws at the first call for each `of`. */
    function failingOnce(): (of: unknown) => void {
      const failed = new Set<unknown>();
      return (of) => {
        if (failed.has(of)) return;
        failed.add(of);
        throw new RangeError('unlucky');
      };
    }

    test('are those of each window of a firing', async () => {
      const fail = failingOnce();
      const driven = await drive(
        (source) =>
          source.pipe(
            keyBy((r) => r.key),
            window('w', tumbling(10), { onError: twice }),
            windowProcess((all, { key }) => {
              fail(key);
              return [{ n: [...all].length }];
            }),
          ),
        byTime,
        [rec('a', 5), rec('b', 7), rec('c', 9)],
      );
      expect(driven.values('out')).toMatchObject(['a', 'b', 'c'].map((key) => ({ key, n: 1 })));
    });

    test('are counted for keys that are equal by value', async () => {
      let calls = 0;
      const driven = await drive(
        (source) =>
          source.pipe(
            keyBy((r) => [r.key, new Date(0)]),
            window('w', tumbling(10), { onError: { ...twice, otherwise: 'skip' } }),
            windowProcess(() => {
              calls += 1;
              if (calls < 10) throw new RangeError('unlucky');
              return [];
            }),
          ),
        byTime,
        [rec('a', 5)],
      );
      expect([calls, driven.metrics().operators.w?.numRecordsRetried]).toEqual([2, 1]);
    });

    test('end once rows of a record have been handed on', async () => {
      let calls = 0;
      function* long(): Generator<number> {
        calls += 1;
        if (calls === 10) return;
        for (let i = 0; i < 66_000; i += 1) yield i;
        throw new RangeError('unlucky');
      }
      const onError: OnError = { ...twice, otherwise: 'skip' };
      const driven = await drive((source) => source.pipe(flatMap(long, { onError })), byTime, [
        rec('a', 5),
      ]);
      expect(calls).toBe(1);
      expect(driven.values('out').length).toBeLessThanOrEqual(66_000);
    });

    test('are those of each timer of an instant', async () => {
      const fail = failingOnce();
      const driven = await drive(
        (source) =>
          source.pipe(
            keyBy((r) => r.key),
            keyedProcess('p', {
              output: type<string>(),
              onError: twice,
              process(_r: Rec, context) {
                context.timers.due.set(20);
              },
              onEventTime: {
                due(_at, context) {
                  fail(context.key);
                  context.emit(context.key);
                },
              },
            }),
          ),
        byTime,
        [rec('a', 5), rec('b', 7), rec('c', 9)],
      );
      expect(driven.values('out')).toEqual(['a', 'b', 'c']);
    });

    test.each([
      ['that works', 'works'],
      ['that fails as often as it may', 'fails'],
    ])('of a record are not given back by a processing timer between them %s', async (_, timer) => {
      let calls = 0;
      const unlucky = (): never => {
        throw new RangeError('unlucky');
      };
      const job = defineJob('failing', {}, (b) => {
        b.source('in', new ManualSource<Rec>(), byTime).pipe(
          keyBy((r) => r.key),
          keyedProcess('p', {
            output: type<string>(),
            onError: { action: 'retry', attempts: 3, otherwise: 'skip' },
            process(r: Rec, context) {
              if (r.v !== 13) {
                for (let n = 0; n < 9; n += 1) context.timers.due.set(context.processingTime + n);
                return;
              }
              calls += 1;
              driven.env.advance(1);
              if (calls < 10) unlucky();
            },
            onProcessingTime: {
              due: () => (timer === 'fails' ? unlucky() : undefined),
            },
          }),
          sinkTo('out', new RecordingSink()),
        );
      });
      const driven = await driveJob(job, { codegen });
      await driven.send('in', [rec('a', 5)]);
      await driven.send('in', [rec('a', 7, 13), rec('a', 9)]);
      await driven.finish();
      expect(calls).toBe(3);
    });

    test('of a record that is skipped behind them are not the next one’s', async () => {
      const fail = failingOnce();
      const driven = await drive(
        (source) =>
          source.pipe(
            map(
              (r: Rec) => {
                fail(r.at);
                return r;
              },
              { id: 'a', onError: twice },
            ),
            map(failing(Infinity), { id: 'b', onError: 'skip' }),
          ),
        byTime,
        [rec('a', 1, 13)],
        [rec('a', 2)],
      );
      expect(driven.values('out')).toEqual([rec('a', 2)]);
    });
  });

  describe('a dead letter has the record as its operator received it, and its time', () => {
    async function letters(
      define: (source: Stream<Rec>) => StreamWithSides<unknown, { deadLetters: DeadLetter }>,
    ): Promise<readonly unknown[]> {
      const job = defineJob('letters', {}, (b) => {
        const out = define(b.source('in', new ManualSource<Rec>(), byTime));
        out.pipe(sinkTo('out', new RecordingSink()));
        out.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()));
      });
      const driven = await driveJob(job, { codegen });
      await driven.send('in', [rec('a', 5), rec('a', 7, 13), rec('a', 9)]);
      await driven.finish();
      expect(driven.values('out')).toHaveLength(2);
      return driven.records('dead');
    }
    const tenfold = map((r: Rec) => ({ key: r.key, ten: r.v * 10 }), { id: 'tenfold' });
    const fail = <T extends { readonly ten: number }>(r: T): T => {
      if (r.ten === 130) throw new RangeError('unlucky');
      return r;
    };
    const letter = { record: { ten: 130 }, timestamp: 7 };
    const policies: readonly DeadLetterOptions['onError'][] = [
      'deadLetter',
      { action: 'retry', attempts: 2, otherwise: 'deadLetter' },
    ];

    test.each(policies)('at a step: %j', async (onError) => {
      const dead = await letters((source) =>
        source.pipe(
          tenfold,
          map((r) => r, { id: 'same' }),
          map(fail, { id: 'm', onError }),
        ),
      );
      expect(dead).toMatchObject([{ timestamp: 7, value: { operator: 'm', ...letter } }]);
    });

    test('at a predicate', async () => {
      const dead = await letters((source) =>
        source.pipe(
          tenfold,
          filter((r) => fail(r).ten > 0, { id: 'f', onError: 'deadLetter' }),
        ),
      );
      expect(dead).toMatchObject([{ timestamp: 7, value: { operator: 'f', ...letter } }]);
    });

    test('at a process function with what is fused ahead of it', async () => {
      const dead = await letters((source) =>
        source.pipe(
          tenfold,
          keyBy((r) => r.key),
          keyedProcess('p', {
            output: type<number>(),
            onError: 'deadLetter',
            process(r: { readonly ten: number }, context) {
              context.emit(fail(r).ten);
            },
          }),
        ),
      );
      expect(dead).toMatchObject([{ timestamp: 7, value: { operator: 'p', ...letter } }]);
    });
  });
});
