import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';

/** Bytes that come in blocks, and a way to let go of what they come from. */
export interface ByteInput {
  readonly blocks: AsyncIterable<Buffer>;
  /** Ends reading at once; a block that is awaited may fail. */
  stop(): void;
}

/**
 * Reads a file from an offset on; a name that ends in `.gz` is unpacked, and the offset counts
 * unpacked bytes, which are read again and skipped.
 *
 * Fails with ERR_SOURCE_FAILED naming the path: no such file, not readable, damaged, or shorter
 * than the offset.
 */
export function fileBytes(path: string, offset: number): ByteInput {
  const stopping = new AbortController();
  return {
    blocks: readFile(path, offset, stopping.signal),
    stop: () => stopping.abort(),
  };
}

/** What comes in on standard input. */
export function stdinBytes(): ByteInput {
  return { blocks: process.stdin, stop: () => process.stdin.destroy() };
}

async function* readFile(
  path: string,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    if (path.endsWith('.gz')) yield* skipBytes(openFile(path, 0, signal), offset);
    else {
      if (offset > 0) refuseShorter((await stat(path)).size, offset);
      yield* openFile(path, offset, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw new MillraceError('ERR_SOURCE_FAILED', `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function openFile(path: string, start: number, signal: AbortSignal): Readable {
  const file = createReadStream(path, {
    start,
    highWaterMark: connectorLimits.readBlockBytes,
    signal,
  });
  if (!path.endsWith('.gz')) return file;
  // A failure of the file reaches whoever reads what is unpacked.
  return pipeline(file, createGunzip({ chunkSize: connectorLimits.readBlockBytes }), () => {});
}

async function* skipBytes(blocks: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let skipped = 0;
  for await (const block of blocks) {
    const skip = Math.min(block.length, count - skipped);
    skipped += skip;
    if (skip < block.length) yield block.subarray(skip);
  }
  refuseShorter(skipped, count);
}

function refuseShorter(size: number, offset: number): void {
  if (size >= offset) return;
  throw new Error(`it has ${size} bytes, but reading was to go on at byte ${offset}`);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
