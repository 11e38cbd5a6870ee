import { fromArray } from '@millrace/connectors';
import { defineJob } from '@millrace/core';
import { keyBy, keyedProcess, map, sinkTo, type } from '@millrace/operators';
import { type RunOptions, run } from '@millrace/runtime';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

interface Visit {
  n: number;
}

const numbers = Array.from({ length: 3_000 }, (_, n) => n);

/** A keyed operator behind a step that makes what it is given. */
const jobWith = (make: (n: number) => unknown, take: (visit: Visit) => number) =>
  defineJob('visits', {}, (builder) => {
    builder.source('in', fromArray(numbers)).pipe(
      map((n) => make(n) as Visit, { id: 'make' }),
      keyBy(() => 'all'),
      keyedProcess('p', {
        output: type<number>(),
        onError: 'skip',
        process: (visit: Visit, ctx) => ctx.emit(take(visit)),
      }),
      sinkTo('out', new RecordingSink<number>()),
    );
  });

const ended = (job: ReturnType<typeof jobWith>, options: RunOptions) =>
  run(job, { env: virtualEnv(), checkRecords: 'on', ...options }).done;

const settings: readonly RunOptions[] = [
  { codegen: 'on', slots: 1 },
  { codegen: 'on', slots: 2 },
  { codegen: 'off', slots: 1 },
];

describe.each(settings)('the first records of a keyed edge: %j', (options) => {
  test('are refused where they cannot travel, whatever the policy, naming their operator', async () => {
    const job = jobWith(
      (n) => ({ n, url: new URL('a:b') }),
      ({ n }) => n,
    );
    await expect(ended(job, options)).rejects.toMatchObject({
      code: 'ERR_UNSERIALISABLE_VALUE',
      operator: 'make',
      field: 'url',
    });
  });

  test('are refused where they are promises', async () => {
    const job = jobWith(
      () => Promise.reject(new Error('unlucky')),
      () => 1,
    );
    await expect(ended(job, options)).rejects.toMatchObject({
      code: 'ERR_FUNCTION_RETURNED_PROMISE',
      operator: 'make',
    });
  });
});

// What comes of another slot is a copy.
test.each(settings.filter(({ slots }) => slots === 1))(
  'within a slot they cannot be changed: %j',
  async (options) => {
    const { metrics } = await ended(
      jobWith(
        (n) => ({ n, deep: {} }),
        (visit) => {
          if (visit.n === 7) visit.n = 8;
          return visit.n;
        },
      ),
      options,
    );
    expect(metrics.operators.p).toMatchObject({ numRecordsSkipped: 1 });
  },
);

test.each<RunOptions>([{ checkRecords: 'off' }, { checkRecords: 'on' }])(
  'later ones may be anything that its operator takes: %j',
  async (options) => {
    const made = (n: number) => (n < 1_000 ? { n } : { n, url: new URL('a:b') });
    const { metrics } = await ended(
      jobWith(made, ({ n }) => n),
      { slots: 1, ...options },
    );
    expect(metrics.operators.p).toMatchObject({ numRecordsIn: 3_000, numRecordsSkipped: 0 });
  },
);
