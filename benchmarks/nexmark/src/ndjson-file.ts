import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Event } from '../model.js';

const chunkCharactersMin = 64 * 1024;

/**
 * Writes events as NDJSON, compressed when the path ends in `.gz`. Events are drawn only as fast
 * as the file takes them.
 */
export async function writeEvents(path: string, events: Iterable<Event>): Promise<void> {
  const source = Readable.from(chunksOf(events), { objectMode: false });
  const file = createWriteStream(path);
  if (path.endsWith('.gz')) await pipeline(source, createGzip(), file);
  else await pipeline(source, file);
}

/** Joins lines to chunks: a stream step per event would cost more than the event. */
function* chunksOf(events: Iterable<Event>): Generator<string, void, undefined> {
  let chunk = '';
  for (const event of events) {
    chunk += `${JSON.stringify(event)}\n`;
    if (chunk.length >= chunkCharactersMin) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk.length > 0) yield chunk;
}
