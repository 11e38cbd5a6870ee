import { type RunOptions, run } from '@millrace/runtime';
import { batchesOf } from '../input.js';
import { CollectingSink } from '../loops/row-sink.js';
import type { Event, QueryName } from '../model.js';
import { Feed, type FeedBatch } from './feed.js';
import { queryJob } from './query-job.js';
import { rowsTo } from './rows-to.js';

/** How to run a query. */
export interface RunQueryOptions extends Pick<RunOptions, 'checkRecords' | 'codegen'> {
  /** Events that a poll of the source gives at most. Default 512. */
  readonly batchEvents?: number | undefined;
}

/** Runs a query over events by the engine, from the start to the end of the input. */
export async function runQuery(
  query: QueryName,
  events: readonly Event[],
  { batchEvents, ...options }: RunQueryOptions = {},
): Promise<unknown[]> {
  const sink = new CollectingSink();
  const parts = { source: feedOf(batchesOf(events, batchEvents)), sink: rowsTo(sink) };
  await run(queryJob(query, parts), options).done;
  return sink.rows;
}

/** A source of these batches and nothing else. */
export function feedOf<T>(batches: readonly FeedBatch<T>[]): Feed<T> {
  const feed = new Feed<T>();
  void feed.push(batches);
  feed.end();
  return feed;
}
