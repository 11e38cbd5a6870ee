import { type RunOptions, run } from '@millrace/runtime';
import { batchesOf } from '../input.js';
import { CollectingSink } from '../loops/row-sink.js';
import type { Event, QueryName } from '../model.js';
import { Feed } from './feed.js';
import { queryJob } from './query-job.js';

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
  const source = new Feed();
  const pushed = source.push(batchesOf(events, batchEvents));
  source.end();
  await run(queryJob(query, { source, sink }), options).done;
  await pushed;
  return sink.rows;
}
