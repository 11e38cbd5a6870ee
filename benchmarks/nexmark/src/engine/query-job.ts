import { defineJob, type JobDefinition, watermarks } from '@millrace/core';
import type { Sink, Source, WatermarkStrategy } from '@millrace/core/spi';
import { sinkTo } from '@millrace/operators';
import type { Event, QueryName, Row } from '../model.js';
import { queries } from '../queries/queries.js';

/** Where a job reads, where it writes, and what tells its event time. */
export interface QueryJobParts {
  readonly source: Source<Event>;
  readonly sink: Sink<Row>;
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
    queries[query](events).pipe(sinkTo('rows', parts.sink));
  });
}
