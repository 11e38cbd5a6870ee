import type { RecordBatch } from '@millrace/core/spi';
import { count, session, sliding, sum, tumbling, type WindowAssigner } from '@millrace/operators';
import { describe, expect, test } from 'vitest';
import {
  contextOf,
  Driven,
  type LocalLimits,
  PlainState,
  type Rec,
  recordsBatch,
  windowFactory,
} from './two-phase-rig.js';

const parts = { n: count(), sum: sum((r: Rec) => r.v) };
const limits: LocalLimits = {
  localRowsMax: 1_000,
  localRecordsMax: 1_000,
  reductionRecordsMin: 100,
  reductionRowsShare: 0.7,
  passRecords: 50,
};
const rec = (key: string, at: number, v = 1): Rec => ({ key, at, v });

type Codegen = 'on' | 'off';

/** A local phase, and `key@timestamp columns` of what it gives out. */
function localOf(assigner: WindowAssigner, codegen: Codegen, own: Partial<LocalLimits> = {}) {
  const phases = windowFactory(assigner, parts).phases!;
  const rows: string[] = [];
  const run = {
    codegen,
    state: new PlainState(),
    counters: new Map(),
    columns: ['number'],
  } as const;
  const operator = phases.createLocal(contextOf(run), { ...limits, ...own });
  const shape = { keys: true, columns: phases.columns };
  const driven = new Driven(operator, shape, 3, ({ keys, timestamps, columns, count: n }) => {
    for (let i = 0; i < n; i += 1) {
      const cells = columns.map((column) => column[i]).join(' ');
      rows.push(`${String(keys![i])}@${timestamps[i]} ${cells}`);
    }
  });
  return {
    driven,
    take: (records: readonly Rec[]) => driven.process(recordsBatch(records, parts)),
    rows,
  };
}

/** Many records of many keys: many calls where an output takes three rows. */
const many = (keys: number, at: number): readonly Rec[] =>
  Array.from({ length: 200 }, (_, i) => rec(`k${i % keys}`, at + (i % 5)));

describe.each(['on', 'off'] as const)('the local phase, codegen %s', (codegen) => {
  test('gives out a row for each key and slice: number of records, then accumulators', () => {
    const { driven, take, rows } = localOf(tumbling(10), codegen);
    take([rec('a', 1, 5), rec('b', 2), rec('a', 9, 2), rec('a', 10)]);
    expect(rows).toEqual([]);
    driven.barrier();
    expect(rows).toEqual(['a@0 2 2 7', 'b@0 1 1 1', 'a@10 1 1 1']);
  });

  test('gives out ahead of a watermark what belongs to a window that it fires, and no more', () => {
    const { driven, take, rows } = localOf(sliding(10, 5), codegen);
    take([rec('a', 1), rec('a', 6), rec('a', 11)]);
    driven.watermark(4);
    expect(rows).toEqual([]);
    driven.watermark(5);
    expect(rows).toEqual(['a@0 1 1 1']);
    driven.watermark(14);
    expect(rows.slice(1)).toEqual(['a@5 1 1 1']);
    driven.watermark(Infinity);
    driven.end();
    expect(rows.slice(2)).toEqual(['a@10 1 1 1']);
  });

  test('holds nothing back that is behind its own watermark', () => {
    const { driven, take, rows } = localOf(tumbling(10), codegen);
    driven.watermark(10);
    take([rec('a', 9), rec('a', 11), rec('a', 8, 3)]);
    expect(rows).toEqual(['a@9 1 1 1', 'a@8 1 1 3']);
  });

  test('has nothing left behind a barrier', () => {
    const { driven, take, rows } = localOf(sliding(10, 5), codegen);
    take(many(40, 0));
    take(many(40, 20));
    driven.barrier();
    expect(rows).toHaveLength(80);
    driven.barrier();
    driven.watermark(Infinity);
    driven.end();
    expect(rows).toHaveLength(80);
    take([rec('k0', 3)]);
    driven.barrier();
    expect(rows.slice(80)).toEqual(['k0@3 1 1 1']);
  });

  test('gives out everything when it has as many rows as it may hold', () => {
    const { take, rows } = localOf(tumbling(10), codegen, { localRowsMax: 7 });
    take([...many(6, 0), rec('a', 11), rec('a', 12)]);
    expect(rows.map((row) => row.split(' ')[0])).toEqual([
      ...['k0@0', 'k1@0', 'k2@0', 'k3@0', 'k4@0', 'k5@0'],
      'a@10',
    ]);
  });

  test('lets records pass where aggregation leaves as many, then tries again', () => {
    const { driven, take, rows } = localOf(tumbling(10), codegen, { localRowsMax: 150 });
    take(Array.from({ length: 150 }, (_, i) => rec(`k${i}`, 0)));
    take([]);
    take([rec('a', 1), rec('a', 2)]);
    expect(rows.slice(150)).toEqual(['a@1 1 1 1', 'a@2 1 1 1']);
    take(many(1, 0).slice(0, 48));
    expect(rows).toHaveLength(200);
    take([rec('a', 1), rec('a', 2)]);
    expect(rows).toHaveLength(200);
    driven.barrier();
    expect(rows.slice(200)).toEqual(['a@0 2 2 2']);
  });
});

describe.each(['on', 'off'] as const)('the local phase of sessions, codegen %s', (codegen) => {
  test('gives out partial sessions: first timestamp, number of records, last timestamp', () => {
    const { driven, take, rows } = localOf(session(5), codegen);
    take([rec('a', 10, 5), rec('b', 2), rec('a', 15, 2), rec('a', 5)]);
    expect(rows).toEqual([]);
    driven.barrier();
    expect(rows).toEqual(['a@5 3 15 3 8', 'b@2 1 2 1 1']);
  });

  test('gives out a key’s partial session when a record is not within the gap of it', () => {
    const { driven, take, rows } = localOf(session(5), codegen);
    take([rec('a', 10), rec('a', 16), rec('a', 10, 2)]);
    expect(rows).toEqual(['a@10 1 10 1 1', 'a@16 1 16 1 1']);
    driven.barrier();
    expect(rows.slice(2)).toEqual(['a@10 1 10 1 2']);
  });

  test('gives out ahead of a watermark what begins before it, and no more', () => {
    const { driven, take, rows } = localOf(session(5), codegen);
    take([rec('a', 10), rec('b', 12), rec('b', 14), rec('c', 13)]);
    driven.watermark(10);
    expect(rows).toEqual([]);
    // Of these `b` goes on for long; yet a session that it continues may fire now.
    driven.watermark(13);
    expect(rows).toEqual(['a@10 1 10 1 1', 'b@12 2 14 2 2']);
    driven.watermark(Infinity);
    expect(rows.slice(2)).toEqual(['c@13 1 13 1 1']);
  });

  test('holds nothing back that is behind its own watermark', () => {
    const { driven, take, rows } = localOf(session(5), codegen);
    driven.watermark(10);
    take([rec('a', 12), rec('b', 9), rec('a', 8, 3), rec('a', 11)]);
    expect(rows).toEqual(['b@9 1 9 1 1', 'a@8 2 12 2 4']);
    driven.barrier();
    expect(rows.slice(2)).toEqual(['a@11 1 11 1 1']);
  });

  test('has nothing left behind a barrier', () => {
    const { driven, take, rows } = localOf(session(5), codegen);
    take(many(40, 0));
    driven.barrier();
    expect(rows).toHaveLength(40);
    driven.barrier();
    driven.watermark(Infinity);
    driven.end();
    expect(rows).toHaveLength(40);
  });
});

test.each(['on', 'off'] as const)(
  'the final phase counts a late row by its records, codegen %s',
  (codegen) => {
    const phases = windowFactory(tumbling(10), parts).phases!;
    const counters = new Map<string, number>();
    const run = { codegen, state: new PlainState(), counters, columns: [] } as const;
    const results: unknown[] = [];
    const take = ({ values, count: n }: RecordBatch): void => {
      results.push(...values.slice(0, n).map((value) => (value as { n: number }).n));
    };
    const final = new Driven(
      phases.createFinal(contextOf(run)),
      { keys: false, columns: [] },
      3,
      take,
    );
    const partial = (at: number, records: number): RecordBatch => {
      const batch = recordsBatch([rec('a', at)], {});
      batch.columns = [[records], [records], [0]];
      return batch;
    };
    final.watermark(10);
    final.process(partial(0, 7));
    final.process(partial(10, 3));
    final.process(partial(-10, 4));
    final.watermark(Infinity);
    expect(results).toEqual([3]);
    expect(counters.get('numLateRecordsDropped')).toBe(11);
  },
);
