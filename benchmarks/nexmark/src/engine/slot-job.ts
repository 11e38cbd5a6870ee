import { ndjsonSink, pacedSource } from '@millrace/connectors';
import type { JobDefinition } from '@millrace/core';
import { periodOf } from '../bench/shifted-batches.js';
import { batchesOf, type EventBatch, readEvents } from '../input.js';
import type { Event, QueryName, Row } from '../model.js';
import { fileQueryJob, type QueryFiles } from './file-query-job.js';
import { type Laps, partedSource, partOf } from './parted-source.js';
import { bySourceTime, queryJob } from './query-job.js';

/** What a slot's thread is to run. */
export interface SlotJob extends QueryFiles {
  readonly query: QueryName;
  /** `memory`: each slot has read the input before the job begins. */
  readonly from: 'file' | 'memory';
}

/** The job of a slot: the module's default export, which threads load. */
export function slotJob(settings: SlotJob): JobDefinition {
  const { query, input, output, eventsPerSecond, from } = settings;
  if (from === 'file') return fileQueryJob(query, settings);
  const held = heldSource(input, 1);
  const source = eventsPerSecond === undefined ? held : pacedSource(held, eventsPerSecond);
  const sink = ndjsonSink<Row>({ path: output, existing: 'truncate' });
  return queryJob(query, { source, sink, watermarks: bySourceTime });
}

/** A file's events in memory, as often as wanted. */
export function heldSource(input: string, laps: number): ReturnType<typeof partedSource<Event>> {
  let read: Promise<readonly EventBatch[]> | undefined;
  // The period is known once the events are; the source asks for it when they are there.
  const lapsOf: { -readonly [K in keyof Laps]: Laps[K] } = { count: laps, periodMs: 0 };
  return partedSource<Event>(async (part) => {
    read ??= readEvents(input).then((events) => batchesOf(events));
    const batches = await read;
    lapsOf.periodMs = periodOf(batches);
    return partOf(batches, part);
  }, lapsOf);
}

export default slotJob;
