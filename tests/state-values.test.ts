import { generator } from '@millrace/connectors';
import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import {
  aggregate,
  aggregator,
  broadcastState,
  connectBroadcast,
  keyBy,
  keyedProcess,
  mapState,
  operatorListState,
  process,
  sinkTo,
  tumbling,
  type,
  valueState,
  window,
} from '@millrace/operators';
import { RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

class Money {
  constructor(cents: number) {
    this.cents = cents;
  }
  readonly cents: number;
}

const numbers = () =>
  generator<number>({ seed: 1, count: 4_000, ratePerSecond: 2_000, create: (n) => n });
const output = type<number>();

const inValue = defineJob('value', {}, (job) => {
  job.source('numbers', numbers()).pipe(
    keyBy((n) => n % 3),
    keyedProcess('spend', {
      output,
      state: { last: valueState<Money>() },
      process: (n, ctx) => ctx.state.last.set(new Money(n)),
    }),
    sinkTo('out', new RecordingSink()),
  );
});

const inMap = defineJob('map', {}, (job) => {
  job.source('numbers', numbers()).pipe(
    keyBy((n) => n % 3),
    keyedProcess('spend', {
      output,
      state: { by: mapState<number, { of: Money }>() },
      process: (n, ctx) => ctx.state.by.set(n % 5, { of: new Money(n) }),
    }),
    sinkTo('out', new RecordingSink()),
  );
});

const inList = defineJob('list', {}, (job) => {
  job.source('numbers', numbers()).pipe(
    process('spend', {
      output,
      state: { seen: operatorListState<Money>() },
      process: (n, ctx) => ctx.state.seen.set([new Money(n)]),
    }),
    sinkTo('out', new RecordingSink()),
  );
});

const inBroadcast = defineJob('broadcast', {}, (job) => {
  job.source('numbers', numbers()).pipe(
    connectBroadcast('spend', job.source('rates', numbers()), {
      output,
      broadcast: { rates: broadcastState<number, Money>() },
      process: () => undefined,
      processBroadcast: (n, ctx) => ctx.broadcast.rates.set(n % 5, new Money(n)),
    }),
    sinkTo('out', new RecordingSink()),
  );
});

const spent = aggregator<number, Money, number>({
  create: () => new Money(0),
  add: ({ cents }, n) => new Money(cents + n),
  merge: (a, b) => new Money(a.cents + b.cents),
  result: ({ cents }) => cents,
});

const inAccumulator = defineJob('accumulator', {}, (job) => {
  job
    .source(
      'numbers',
      numbers(),
      watermarks((n) => n),
    )
    .pipe(
      keyBy((n) => n % 3),
      window('spend', tumbling('1h')),
      aggregate({ spent }),
      sinkTo('out', new RecordingSink()),
    );
});

describe('a value in state that no checkpoint can have', () => {
  test.each<[string, JobDefinition, string, string]>([
    ['in a value', inValue, 'in state last', 'record'],
    ['in a map', inMap, 'in state by', 'of'],
    ['in a list without key', inList, 'in state seen', 'record'],
    ['in broadcast state', inBroadcast, 'in state rates', 'record'],
    ['in an accumulator', inAccumulator, 'in state rows', 'record'],
  ])('ends the job, which names operator and state: %s', async (_, job, state, field) => {
    const run = start(await diskForJobs(), job);
    const ended = run.handle.done.catch((error: unknown) => error);
    await pass(run);
    expect(await ended).toMatchObject({
      code: 'ERR_UNSERIALISABLE_VALUE',
      operator: 'spend',
      field,
      detail: expect.stringContaining(`${state}: an instance of Money`),
    });
  });
});
