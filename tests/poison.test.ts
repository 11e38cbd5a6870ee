import { generator } from '@millrace/connectors';
import { defineJob, type JobBuilder, watermarks } from '@millrace/core';
import type { Stream } from '@millrace/core/spi';
import {
  filter,
  flatMap,
  keyBy,
  keyedProcess,
  map,
  sinkTo,
  type,
  union,
  valueState,
} from '@millrace/operators';
import type { RunOptions } from '@millrace/runtime';
import { RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

interface Payment {
  readonly id: number;
  readonly by: string;
}

const total = 3_000;
const poisonId = 1_711;

const paymentsBy = (by: string) =>
  generator<Payment>({
    seed: 1,
    count: total,
    ratePerSecond: 3_000,
    create: (id) => ({ id, by }),
  });

const payments = (job: JobBuilder, by = 'card') =>
  job.source(
    by,
    paymentsBy(by),
    watermarks((p) => p.id, { farFuture: 'off' }),
  );

/** Two operators behind the same keyed stream; the second cannot take one of the payments. */
function twoOperators(input: Stream<Payment>, poison = { id: poisonId, by: 'card' }): void {
  const cards = input.pipe(keyBy((p) => p.id % 7));
  for (const id of ['first', 'second']) {
    cards.pipe(
      keyedProcess(id, {
        output: type<number>(),
        state: { last: valueState<number>() },
        process(p, ctx) {
          if (id === 'second' && p.id === poison.id && p.by === poison.by) {
            throw new RangeError('no such payment');
          }
          ctx.state.last.set(p.id);
          ctx.emit(p.id);
        },
      }),
      sinkTo(`${id}-out`, new RecordingSink()),
    );
  }
}

/** The error that ends a job after three attempts. */
async function errorOf(build: (job: JobBuilder) => void, options: Partial<RunOptions> = {}) {
  const process = start(await diskForJobs(), defineJob('poisoned', {}, build), options);
  await pass(process);
  const error = await process.handle.done.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(process.handle.progress()).toMatchObject({ attempts: 3, status: 'failed' });
  expect(error).toMatchObject({ code: 'ERR_POISON_RECORD', operator: 'second' });
  return error as { readonly position?: string; readonly detail: string };
}

/** First and last of a range of positions. */
function rangeIn(position: string | undefined): readonly [number, number] {
  const [, first, last] = /^between 0@(\d+) and 0@(\d+)$/.exec(position!)!;
  return [Number(first), Number(last)];
}

describe.each([{ codegen: 'on' }, { codegen: 'off' }] as const)(
  'a record that fails behind a keyed edge of several operators, with %o',
  (options) => {
    const failing = (build: (job: JobBuilder) => void) => errorOf(build, options);

    test('is named by its position', async () => {
      const { position, detail } = await failing((job) => twoOperators(payments(job)));
      expect(position).toBe(`0@${poisonId}`);
      expect(detail).toContain(`the record at 0@${poisonId} failed 3 attempts`);
    });

    test('and behind a map that several read', async () => {
      const { position } = await failing((job) => {
        const mapped = payments(job).pipe(map((p) => ({ ...p, fee: 1 })));
        mapped.pipe(sinkTo('all', new RecordingSink()));
        twoOperators(mapped);
      });
      expect(position).toBe(`0@${poisonId}`);
    });

    test('and behind two sources as one', async () => {
      const { position } = await failing((job) => {
        const both = payments(job, 'web').pipe(union(payments(job, 'card')));
        twoOperators(both);
      });
      expect(position).toBe(`card 0@${poisonId}`);
    });

    test('is named by a range where records were left out ahead of it', async () => {
      const { position, detail } = await failing((job) =>
        twoOperators(payments(job).pipe(filter((p) => p.id % 3 !== 0))),
      );
      const [first, last] = rangeIn(position);
      expect(first).toBeLessThanOrEqual(poisonId);
      expect(last).toBeGreaterThanOrEqual(poisonId);
      expect(last - first).toBeLessThan(512);
      expect(detail).toContain(`the record ${position} failed 3 attempts`);
    });

    test('and behind a function that gives any number of rows', async () => {
      const { position } = await failing((job) =>
        twoOperators(payments(job).pipe(flatMap((p) => (p.id % 2 === 0 ? [] : [p])))),
      );
      const [first, last] = rangeIn(position);
      expect(first).toBeLessThanOrEqual(poisonId);
      expect(last).toBeGreaterThanOrEqual(poisonId);
      expect(last - first).toBeLessThanOrEqual(512);
    });

    // Of these some are another slot's.
    test.each([1_711, 1_712, 1_713, 1_714])('record %i by a range in two slots', async (id) => {
      const { position } = await errorOf((job) => twoOperators(payments(job), { id, by: 'card' }), {
        ...options,
        slots: 2,
      });
      const [first, last] = rangeIn(position);
      expect(first).toBeLessThanOrEqual(id);
      expect(last).toBeGreaterThanOrEqual(id);
      expect(last - first).toBeLessThan(total / 2);
    });
  },
);

test('records that fail at other places with the same words are not the same one', async () => {
  let failures = 0;
  const job = defineJob('unlucky', {}, (builder) => {
    const cards = payments(builder).pipe(keyBy((p) => p.id % 7));
    for (const id of ['first', 'second']) {
      cards.pipe(
        keyedProcess(id, {
          output: type<number>(),
          state: {},
          process(p) {
            if (id === 'first' || p.id !== 500 * (failures + 1) || failures === 4) return;
            failures += 1;
            throw new RangeError('no such payment');
          },
        }),
        sinkTo(`${id}-out`, new RecordingSink()),
      );
    }
  });
  const process = start(await diskForJobs(), job);
  await pass(process);
  expect(await process.handle.done).toMatchObject({ status: 'finished' });
  expect(process.handle.progress().attempts).toBe(5);
});
