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

/**
 * Reads NDJSON, compressed when the path ends in `.gz`, wholly into memory.
 *
 * @throws Error that names the file, and the line if one is no event
 */
export async function readEvents(path: string): Promise<Event[]> {
  const text = path.endsWith('.gz') ? createGunzip() : new PassThrough();
  let bad: unknown;
  const parse = (chunks: AsyncIterable<Buffer>): Promise<Event[]> =>
    parseLines(chunks).catch((error: unknown) => {
      bad = error;
      throw error;
    });
  try {
    return await pipeline(createReadStream(path), text, parse);
  } catch (error) {
    // A bad line ends the reading early, which the pipeline reports instead.
    const cause = (bad ?? error) as Error;
    throw new Error(`cannot read ${path}: ${cause.message}`, { cause });
  }
}

async function parseLines(chunks: AsyncIterable<Buffer>): Promise<Event[]> {
  const decoder = new TextDecoder();
  const events: Event[] = [];
  let lineNumber = 0;
  const take = (line: string): void => {
    lineNumber++;
    if (line.trim() !== '') events.push(eventOfLine(line, lineNumber));
  };
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(take);
  }
  take(rest);
  return events;
}

function eventOfLine(line: string, lineNumber: number): Event {
  let event: Partial<Event> | null;
  try {
    event = parseEvent(line);
  } catch (error) {
    throw new Error(`line ${lineNumber} is not JSON: ${(error as Error).message}`);
  }
  const known = event?.kind === 'bid' || event?.kind === 'auction' || event?.kind === 'person';
  if (!known || !Number.isSafeInteger(event?.dateTime)) {
    throw new Error(`line ${lineNumber} is no Nexmark event: ${line.slice(0, 60)}`);
  }
  return event as Event;
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
