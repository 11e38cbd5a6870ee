import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import type { Source, WatermarkStrategy } from '@millrace/core/spi';
import { sinkTo } from '@millrace/operators';
import type { RowSink } from '../loops/row-sink.js';
import type { Event, QueryName } from '../model.js';
import { queries } from '../queries/queries.js';
import { rowsTo } from './rows-to.js';

/** Where a job reads, where it writes, and what tells its event time. */
export interface QueryJobParts {
  readonly source: Source<Event>;
  readonly sink: RowSink;
  readonly watermarks?: WatermarkStrategy<Event>;
}

/** Event time of the queries: events carry it, at most 4 s behind the latest. */
const byDateTime: WatermarkStrategy<Event> = watermarks((e) => e.dateTime, {
  outOfOrderness: '4s',
  // The data's time is simulated and has nothing to do with the wall clock.
  farFuture: 'off',
});

/** The same with the times that the source tells. */
export const bySourceTime: WatermarkStrategy<Event> = watermarks(undefined, {
  outOfOrderness: '4s',
  farFuture: 'off',
});

/** A query as a job. */
export function queryJob(query: QueryName, parts: QueryJobParts): JobDefinition {
  return defineJob(`nexmark-${query}`, {}, (job) => {
    const events = job.source('events', parts.source, parts.watermarks ?? byDateTime);
    queries[query](events).pipe(sinkTo('rows', rowsTo(parts.sink)));
  });
}
