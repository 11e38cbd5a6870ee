import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import {
  aggregate,
  count,
  filter,
  keyBy,
  partitionBy,
  sinkTo,
  tumbling,
  window,
} from '@millrace/operators';
import type { FeedBatch } from '../engine/feed.js';
import { partedSource, partOf } from '../engine/parted-source.js';
import { bySourceTime } from '../engine/query-job.js';
import { heldSource } from '../engine/slot-job.js';
import type { Event, QueryName } from '../model.js';
import { isBid } from '../queries/bids.js';
import { queries } from '../queries/queries.js';
import { evenKeys, zipfKeys } from './keys.js';

/** What is measured. */
export type ExchangeJob = {
  /** How often the records come. */
  readonly laps: number;
} & (
  | { readonly kind: 'query'; readonly query: QueryName; readonly input: string }
  /** Whole bids, all of them from the first slot to the second. */
  | { readonly kind: 'bids'; readonly input: string }
  | { readonly kind: 'counts'; readonly keys: 'zipf' | 'even' }
);

/** Takes rows and does nothing with them: what is measured is ahead of it. */
const nowhere = (): Sink<unknown> => ({
  type: 'nowhere',
  guarantee: 'at-most-once',
  createWriter: () => ({ write: () => undefined }),
});

/** The job of a slot: the module's default export, which threads load. */
export default function exchangeJob(settings: ExchangeJob): JobDefinition {
  const { laps } = settings;
  switch (settings.kind) {
    case 'query':
      return defineJob(`exchange-${settings.query}`, {}, (job) => {
        const events = job.source('events', heldSource(settings.input, laps), bySourceTime);
        queries[settings.query](events).pipe(sinkTo('rows', nowhere()));
      });
    case 'bids':
      return defineJob('exchange-bids', {}, (job) => {
        job
          .source('events', heldSource(settings.input, laps), bySourceTime, { parallelism: 1 })
          .pipe(
            filter<Event, Extract<Event, { kind: 'bid' }>>(isBid, { parallelism: 1 }),
            partitionBy(() => 1),
            sinkTo('rows', nowhere()),
          );
      });
    case 'counts':
      return countsJob(settings.keys, laps);
  }
}

interface Draw {
  readonly key: number;
}

/** Records of one lap of drawn keys. */
export const drawsPerLap = 1_000_000;
const drawsPerBatch = 512;
const drawsPerSecond = 100_000;

/** Counts of drawn keys in windows of 10 s. */
function countsJob(keys: 'zipf' | 'even', laps: number): JobDefinition {
  const source = partedSource<Draw>(async (part) => partOf(drawnBatches(keys), part), {
    count: laps,
    periodMs: (drawsPerLap / drawsPerSecond) * 1_000,
  });
  const time = watermarks<Draw>(undefined, { outOfOrderness: '1s', farFuture: 'off' });
  return defineJob(`exchange-${keys}`, {}, (job) => {
    job.source('draws', source, time).pipe(
      keyBy((d) => d.key),
      window('counts', tumbling('10s')),
      aggregate({ n: count() }),
      sinkTo('rows', nowhere()),
    );
  });
}

function drawnBatches(kind: 'zipf' | 'even'): readonly FeedBatch<Draw>[] {
  const drawn =
    kind === 'zipf' ? zipfKeys(100_000, 1.2, drawsPerLap) : evenKeys(100_000, drawsPerLap);
  const batches: FeedBatch<Draw>[] = [];
  for (let from = 0; from < drawsPerLap; from += drawsPerBatch) {
    const values = Array.from(drawn.subarray(from, from + drawsPerBatch), (key) => ({ key }));
    const timestamps = Float64Array.from(values, (_, i) =>
      Math.floor(((from + i) * 1_000) / drawsPerSecond),
    );
    batches.push({ values, timestamps, count: values.length });
  }
  return batches;
}
