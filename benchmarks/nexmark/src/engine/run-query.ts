import { nodeEnv, type RunOptions, run } from '@millrace/runtime';
import { startJob } from '@millrace/runtime/internal';
import { batchesOf } from '../input.js';
import { CollectingSink } from '../loops/row-sink.js';
import type { Event, QueryName } from '../model.js';
import { Feed, type FeedBatch } from './feed.js';
import { partedSource, partOf } from './parted-source.js';
import { queryJob } from './query-job.js';
import { rowsTo } from './rows-to.js';

/** How to run a query. */
export interface RunQueryOptions extends Pick<RunOptions, 'checkRecords' | 'codegen' | 'slots'> {
  /** Subtasks of all operators, or by their ids. */
  readonly parallelism?: number | Readonly<Record<string, number>> | undefined;
  /** Events that a poll of the source gives at most. Default 512. */
  readonly batchEvents?: number | undefined;
}

/**
 * Runs a query over events by the engine, from the start to the end of the input. Several slots take
 * turns in this thread.
 */
export async function runQuery(
  query: QueryName,
  events: readonly Event[],
  { batchEvents, parallelism, ...options }: RunQueryOptions = {},
): Promise<unknown[]> {
  const sink = new CollectingSink();
  const batches = batchesOf(events, batchEvents);
  const isOne = (options.slots ?? 1) === 1;
  const source = isOne ? feedOf(batches) : partedSource(async (part) => partOf(batches, part));
  const env = isOne ? undefined : nodeEnv();
  const job = queryJob(query, { source, sink: rowsTo(sink) });
  if (typeof parallelism !== 'object') {
    await run(job, { ...options, parallelism, env }).done;
    return sink.rows;
  }
  const built = job.build();
  const nodes = built.graph.nodes.map((node) => {
    const own = parallelism[node.id];
    return own === undefined ? node : { ...node, parallelism: own };
  });
  await startJob({ ...built, graph: { ...built.graph, nodes } }, { ...options, env }).done;
  return sink.rows;
}

/** A source of these batches and nothing else. */
export function feedOf<T>(batches: readonly FeedBatch<T>[]): Feed<T> {
  const feed = new Feed<T>();
  void feed.push(batches);
  feed.end();
  return feed;
}
