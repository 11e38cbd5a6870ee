import { fromArray } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { aggregate, count, keyBy, map, sinkTo, sum, tumbling, window } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

/** No plain data: it cannot be sent, and a check refuses it. */
class Visit {
  readonly page: string;
  readonly n: number;

  constructor(page: string, n: number) {
    this.page = page;
    this.n = n;
  }
}

/** More than a batch of them, so that batches are used again. */
const numbers = Array.from({ length: 5_000 }, (_, n) => n);

describe.each(['on', 'off'] as const)('codegen %s', (codegen) => {
  test.each([
    ['off', 1, 'on'],
    ['off', 2, 'on'],
    ['off', 2, 'off'],
    ['on', 2, 'on'],
  ] as const)(
    'of a keyed edge that ships keys and columns, records stay behind: pre-aggregation %s, slots %d, checks %s',
    async (preAggregate, slots, checkRecords) => {
      const out = new RecordingSink<{ key: string; n: number; total: number }>();
      const job = defineJob('visits', {}, (builder) => {
        builder.source('in', fromArray(numbers)).pipe(
          map((n) => new Visit(`page-${n % 50}`, n)),
          keyBy((visit) => visit.page),
          window('w', tumbling('1h'), { preAggregate }),
          aggregate({ n: count(), total: sum((visit) => visit.n) }),
          sinkTo('out', out),
        );
      });
      await run(job, { env: virtualEnv(), codegen, slots, checkRecords }).done;
      const rows = out.records.map(({ value: { key, n, total } }) => ({ key, n, total }));
      expect(rows).toHaveLength(50);
      expect(rows).toContainEqual({ key: 'page-7', n: 100, total: 7 * 100 + (99 * 100 * 50) / 2 });
    },
  );
});
