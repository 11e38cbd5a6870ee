import { fromArray } from '@millrace/connectors';
import {
  customWatermarks,
  defineJob,
  type KeyedStream,
  type Stream,
  watermarks,
} from '@millrace/core';
import { run } from '@millrace/runtime';
import { driveJob, ManualSource, RecordingSink, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  aggregator,
  count,
  filter,
  flatMap,
  keyBy,
  keyedProcess,
  map,
  session,
  sinkTo,
  sum,
  tumbling,
  type,
  window,
} from './index.js';

interface Rec {
  readonly key: unknown;
  readonly at: number;
  readonly v: number;
}

const rec = (key: unknown, at: number, v = 1): Rec => ({ key, at, v });
const time = (outOfOrderness = 0) =>
  watermarks((r: Rec) => r.at, { step: 1, farFuture: 'off', outOfOrderness });
const boom = (): never => {
  throw new RangeError('unlucky');
};
/** By whatever the record says, a key or not. */
const byKey = keyBy((r: Rec) => r.key as number) as (s: Stream<Rec>) => KeyedStream<Rec, number>;

describe.each(['on', 'off'] as const)('codegen %s', (codegen) => {
  const wide = time(100);

  async function driven(job: ReturnType<typeof defineJob>, ...sends: readonly (readonly Rec[])[]) {
    const driver = await driveJob(job, { codegen, checkRecords: 'off' });
    for (const records of sends) await driver.send('in', records);
    await driver.finish();
    return driver;
  }

  test.each([
    ['session', session(1_000)],
    ['tumbling', tumbling(1_000)],
  ])('records with invalid keys cost no other key its row: %s', async (_name, assigner) => {
    const job = defineJob('keys', {}, (builder) => {
      builder
        .source('in', new ManualSource<Rec>(), wide)
        .pipe(
          byKey,
          window('w', assigner, { onError: 'skip' }),
          aggregate({ s: sum((r: Rec) => r.v) }),
          sinkTo('out', new RecordingSink()),
        );
    });
    // More of them than a table has rows at first.
    const many = Array.from({ length: 4_000 }, (_, i) => rec(i % 20 === 0 ? { id: 1 } : i % 3, 1));
    const driver = await driven(job, many, [rec(77, 1, 7), rec(77, 1, 7)]);
    const rows = driver.values('out') as readonly { key: unknown; s: number }[];
    expect(rows.find(({ key }) => key === 77)?.s).toBe(14);
    expect(driver.metrics().operators.w!.numRecordsSkipped).toBe(200);
  });

  test('functions ahead of a process function that fills its output run once a record', async () => {
    let calls = 0;
    const job = defineJob('full', {}, (builder) => {
      builder.source('in', new ManualSource<Rec>(), time()).pipe(
        filter(() => true, { id: 'f' }),
        map((r) => {
          calls += 1;
          return r;
        }),
        byKey,
        keyedProcess('p', {
          output: type<number>(),
          process(r: Rec, ctx) {
            ctx.emit(r.v);
            ctx.emit(r.v);
          },
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driven(
      job,
      Array.from({ length: 3_000 }, () => rec(1, 5)),
    );
    const { f, p } = driver.metrics().operators;
    expect([calls, f!.numRecordsOut, p!.numRecordsIn]).toEqual([3_000, 3_000, 3_000]);
    expect(driver.values('out')).toHaveLength(6_000);
  });

  test('an accumulator that cannot be made begins no row', async () => {
    let broken = true;
    const fragile = aggregator<Rec, { n: number }, number>({
      create: () => (broken ? boom() : { n: 0 }),
      add: (all, r) => ({ n: all.n + r.v }),
      merge: (a, b) => ({ n: a.n + b.n }),
      result: ({ n }) => n,
    });
    const job = defineJob('create', {}, (builder) => {
      builder.source('in', new ManualSource<Rec>(), time()).pipe(
        map((r) => {
          if (r.v === 2) broken = false;
          return r;
        }),
        byKey,
        window('w', session(10), { onError: 'skip' }),
        aggregate({ s: fragile }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driven(job, [rec(1, 100, 1), rec(1, 101, 2), rec(1, 102, 3)]);
    expect(driver.values('out')).toMatchObject([{ s: 5, window: { start: 101 } }]);
  });
});

describe('keys where records change slots', () => {
  const ended = (job: ReturnType<typeof defineJob>, slots: number) =>
    run(job, { env: virtualEnv(), slots, checkRecords: 'off' }).done;

  test('a key function that throws is named with its operator', async () => {
    const job = defineJob('thrown', {}, (builder) => {
      builder.source('in', fromArray([rec('a', 1), rec('b', 2, 13)])).pipe(
        keyBy((r) => (r.v === 13 ? boom() : (r.key as string))),
        map((r) => r.v, { id: 'm' }),
        sinkTo('out', new RecordingSink()),
      );
    });
    await expect(ended(job, 2)).rejects.toMatchObject({
      code: 'ERR_FUNCTION_THREW',
      operator: 'm',
    });
  });

  test.each([1, 2])('an invalid key is the failure of its record: slots %d', async (slots) => {
    const out = new RecordingSink<{ key: unknown; n: number }>();
    const job = defineJob('invalid', {}, (builder) => {
      const records = [rec('a', 1), rec(Symbol('x'), 2), rec(['t', { no: 'key' }], 2), rec('b', 2)];
      builder
        .source('in', fromArray(records), time())
        .pipe(
          byKey,
          window('w', tumbling(10), { onError: { action: 'skip', ceiling: 1 } }),
          aggregate({ n: count() }),
          sinkTo('out', out),
        );
    });
    const { metrics } = await ended(job, slots);
    expect(metrics.operators.w!.numRecordsSkipped).toBe(2);
    expect(out.records.map(({ value }) => value.key).sort()).toEqual(['a', 'b']);
  });
});

describe('the author’s own error, with its operator', () => {
  const ended = (job: ReturnType<typeof defineJob>) => run(job, { env: virtualEnv() }).done;

  test.each(['map', 'flatMap'] as const)('of a tear-down: %s', async (kind) => {
    const job = defineJob('teardown', {}, (builder) => {
      const records = builder.source('in', fromArray([rec('a', 1)]));
      const options = { id: 'o', teardown: boom };
      const out =
        kind === 'map'
          ? records.pipe(map((r) => r.v, options))
          : records.pipe(flatMap((r) => [r.v], options));
      out.pipe(sinkTo('out', new RecordingSink<number>()));
    });
    await expect(ended(job)).rejects.toMatchObject({ code: 'ERR_FUNCTION_THREW', operator: 'o' });
  });

  test('of a generator of watermarks that cannot be made', async () => {
    const strategy = customWatermarks((r: Rec) => r.at, boom);
    const job = defineJob('generator', {}, (builder) => {
      builder
        .source('in', fromArray([rec('a', 1)]), strategy)
        .pipe(sinkTo('out', new RecordingSink<Rec>()));
    });
    await expect(ended(job)).rejects.toMatchObject({ code: 'ERR_FUNCTION_THREW', operator: 'in' });
  });
});
