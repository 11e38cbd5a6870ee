import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const chunkCharactersMin = 64 * 1024;

/**
 * Writes values as JSON, one a line, compressed when the path ends in `.gz`. Values are drawn only
 * as fast as the file takes them.
 */
export async function writeLines(path: string, values: Iterable<unknown>): Promise<void> {
  const source = Readable.from(chunksOf(values), { objectMode: false });
  const file = createWriteStream(path);
  if (path.endsWith('.gz')) await pipeline(source, createGzip(), file);
  else await pipeline(source, file);
}

/** Joins lines to chunks: a stream step per event would cost more than the line. */
function* chunksOf(values: Iterable<unknown>): Generator<string, void, undefined> {
  let chunk = '';
  for (const value of values) {
    chunk += `${JSON.stringify(value)}\n`;
    if (chunk.length >= chunkCharactersMin) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk.length > 0) yield chunk;
}
