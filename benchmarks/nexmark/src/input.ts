import { createReadStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Event } from './model.js';

/** Events in one batch at most. */
export const batchEventsMax = 512;

/** Consecutive events and their times; both hold `count` entries. */
export interface EventBatch {
  readonly values: Event[];
  /** Epoch milliseconds. */
  readonly timestamps: Float64Array;
  readonly count: number;
}

/** Reads NDJSON, compressed when the path ends in `.gz`, wholly into memory. */
export async function readEvents(path: string): Promise<Event[]> {
  const text = path.endsWith('.gz') ? createGunzip() : new PassThrough();
  const reading = pipeline(createReadStream(path), text, async (chunks: AsyncIterable<Buffer>) =>
    parseLines(chunks),
  );
  return reading;
}

async function parseLines(chunks: AsyncIterable<Buffer>): Promise<Event[]> {
  const decoder = new TextDecoder();
  const events: Event[] = [];
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) events.push(parseEvent(line));
  }
  if (rest !== '') events.push(parseEvent(rest));
  return events;
}

/**
 * Parses one line. Fields come in the order of the text, so events of a kind share one hidden
 * class.
 */
export function parseEvent(line: string): Event {
  return JSON.parse(line) as Event;
}

/** Cuts events to batches, each with its column of times. */
export function batchesOf(events: readonly Event[], eventsMax = batchEventsMax): EventBatch[] {
  const batches: EventBatch[] = [];
  for (let from = 0; from < events.length; from += eventsMax) {
    const values = events.slice(from, from + eventsMax);
    const timestamps = Float64Array.from(values, (event) => event.dateTime);
    batches.push({ values, timestamps, count: values.length });
  }
  return batches;
}
