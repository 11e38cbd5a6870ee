import { type Event, queries } from '@millrace/benchmark-nexmark';
import { defineJob, type JobDefinition, type SourceStream, watermarks } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import {
  aggregate,
  count,
  keyBy,
  keyedProcess,
  sinkTo,
  sum,
  tumbling,
  type,
  valueState,
  window,
} from '@millrace/operators';
import { batchEvents, type CyclingOptions, CyclingSource } from './cycling-source.js';
import { permutation, shuffledKeys, zipfKeys } from './key-draws.js';

/** A job with an endless source of records in memory. */
export interface Workload {
  readonly job: JobDefinition;
  readonly source: CyclingSource<never>;
}

/** How the keys of a workload are drawn. */
export interface WorkloadOptions {
  /** Keys that have state. */
  readonly keys: number;
  /** Share of the keys that change; all others are only loaded. */
  readonly hotShare: number;
}

interface Update {
  readonly key: number | string;
  readonly amount: number;
  readonly name: string;
}

/** Different records that come again and again: more than fit in the processor's cache. */
const recordsInMemory = 512 * 400;

/** Writes nowhere. */
const nowhere: Sink<unknown> = {
  type: 'nowhere',
  guarantee: 'at-most-once',
  createWriter: () => ({ write: () => undefined }),
};

const byTime = <T>() => watermarks<T>(undefined, { farFuture: 'off' });

/** Workloads by name. */
export const workloads: Readonly<Record<string, (options: WorkloadOptions) => Workload>> = {
  q5: ({ keys }) => nexmark('q5', keys),
  q11: ({ keys }) => nexmark('q11', keys),
  typed: (options) =>
    updates(
      options,
      (key) => key,
      (stream) =>
        stream.pipe(
          keyBy((u) => u.key as number),
          window('counts', tumbling('1d')),
          aggregate({ n: count() }),
          sinkTo('out', nowhere),
        ),
    ),
  flat: (options) =>
    updates(
      options,
      (key) => `user-${key}`,
      (stream) =>
        stream.pipe(
          keyBy((u) => u.key),
          window('sums', tumbling('1d')),
          aggregate({ n: count(), total: sum((u) => u.amount) }),
          sinkTo('out', nowhere),
        ),
    ),
  user: (options) =>
    updates(
      options,
      (key) => key,
      (stream) =>
        stream.pipe(
          keyBy((u) => u.key),
          keyedProcess('users', {
            output: type<never>(),
            state: { user: valueState<{ n: number; total: number; name: string }>() },
            process({ amount, name }, { state }) {
              const { n, total } = state.user.get() ?? { n: 0, total: 0 };
              state.user.set({ n: n + 1, total: total + amount, name });
            },
          }),
          sinkTo('out', nowhere),
        ),
    ),
  zipf: ({ keys }) => {
    const update = updateOf((key) => key);
    const keyOf = zipfKeys(keys);
    const draw = (i: number): Update => update(keyOf(i), i);
    return jobOf(draw, { count: keys, record: (i) => update(i, i) }, (stream) =>
      stream.pipe(
        keyBy((u) => u.key as number),
        window('counts', tumbling('1d')),
        aggregate({ n: count() }),
        sinkTo('out', nowhere),
      ),
    );
  },
};

/** Bids on so many auctions by so many bidders, ten seconds of event time to each. */
function nexmark(query: 'q5' | 'q11', keys: number): Workload {
  const auctions = shuffledKeys(keys, recordsInMemory, 1);
  const bidders = shuffledKeys(keys, recordsInMemory, 2);
  const records = Array.from(
    auctions,
    (auction, i): Event => ({
      kind: 'bid',
      auction,
      bidder: bidders[i]!,
      price: 100 + (i % 900),
      channel: 'apple',
      url: 'https://example.com/item',
      dateTime: 0,
      extra: '',
    }),
  );
  const source = new CyclingSource<Event>({ records, recordsPerSecond: keys });
  const job = defineJob(query, {}, (builder) => {
    const events = builder.source('events', source, byTime(), { allowLoss: true });
    queries[query](events).pipe(sinkTo('rows', nowhere));
  });
  return { job, source: source as CyclingSource<never> };
}

function updates(
  { keys, hotShare }: WorkloadOptions,
  keyOf: (n: number) => number | string,
  build: (stream: SourceStream<Update>) => void,
): Workload {
  const hot = hotKeys(keys, hotShare);
  const update = updateOf(keyOf);
  return jobOf(hot.map(update), { count: keys, record: (i) => update(i, i) }, build);
}

/** Those that change, in a random order, each as often as the others; spread over all keys. */
function hotKeys(keys: number, share: number): number[] {
  const count = Math.max(batchEvents, Math.floor(keys * share));
  const order = permutation(count, 1);
  return Array.from({ length: Math.ceil(count / batchEvents) * batchEvents }, (_, index) =>
    Math.floor(order[index % count]! / share),
  );
}

const updateOf =
  (keyOf: (n: number) => number | string) =>
  (key: number, i: number): Update => ({ key: keyOf(key), amount: i % 100, name: `name ${i}` });

function jobOf(
  records: CyclingOptions<Update>['records'],
  preload: CyclingOptions<Update>['preload'],
  build: (stream: SourceStream<Update>) => void,
): Workload {
  const source = new CyclingSource<Update>({ records, preload, recordsPerSecond: 1e9 });
  const job = defineJob('updates', {}, (builder) => {
    build(builder.source('updates', source, byTime(), { allowLoss: true }));
  });
  return { job, source: source as CyclingSource<never> };
}
