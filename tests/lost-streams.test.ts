import { fromArray } from '@millrace/connectors';
import { defineJob, type JobBuilder, type KeyedStream, watermarks } from '@millrace/core';
import {
  aggregate,
  count,
  filter,
  keyBy,
  map,
  sinkTo,
  tumbling,
  window,
} from '@millrace/operators';
import { run } from '@millrace/runtime';
import { RecordingSink, virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';

interface Payment {
  readonly card: string;
  readonly at: number;
}

const payments = fromArray<Payment>([{ card: 'a', at: 1 }]);
const byTime = watermarks((p: Payment) => p.at, { step: 1, farFuture: 'off' });
const byCard = keyBy((p: Payment) => p.card);
const hourly = window<Payment, string>('hourly', tumbling('1h'));

/** Beside what the job is for: payments, which are all that it prints. */
const jobWith = (beside: (input: ReturnType<typeof sourceOf>) => unknown) =>
  defineJob('lost', {}, (job) => {
    const input = sourceOf(job);
    input.pipe(sinkTo('out', new RecordingSink<Payment>()));
    beside(input);
  });

const sourceOf = (job: JobBuilder) => job.source('payments', payments, byTime);

test('operators whose stream reaches no sink are told of where a job begins', async () => {
  const env = virtualEnv();
  const job = jobWith((input) =>
    input.pipe(
      filter((p) => p.at > 0, { id: 'recent' }),
      byCard,
      window('w', tumbling('1m')),
      aggregate({ n: count() }),
    ),
  );
  await run(job, { env }).done;
  const fields = (operator: string) => ({ job: 'lost', operator });
  expect(env.logged.filter(({ level }) => level === 'warn')).toEqual([
    { level: 'warn', message: 'what this filter gives reaches no sink', fields: fields('recent') },
    { level: 'warn', message: 'what this window gives reaches no sink', fields: fields('w') },
  ]);
});

test('a job all of whose streams reach a sink begins without a word', async () => {
  const env = virtualEnv();
  const job = jobWith((input) =>
    input.pipe(
      map((p) => p.card),
      sinkTo('cards', new RecordingSink<string>()),
    ),
  );
  await run(job, { env }).done;
  expect(env.logged).toEqual([]);
});

test.each([
  ['nobody aggregates', (input: KeyedStream<Payment, string>) => input.pipe(hourly)],
  [
    'nobody aggregates, beside one of the same id that somebody does',
    (input: KeyedStream<Payment, string>) => {
      input.pipe(hourly, aggregate({ n: count() }), sinkTo('n', new RecordingSink()));
      input.pipe(hourly);
    },
  ],
])('a window that %s is refused by its id', (_name, beside) => {
  const job = jobWith((input) => beside(input.pipe(byCard)));
  expect(() => job.build()).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTION', operator: 'hourly' }),
  );
});
