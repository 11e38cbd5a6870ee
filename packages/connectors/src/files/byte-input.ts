import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';
import {
  assertNotShorter,
  assertSameBytes,
  type FilePosition,
  type FoundFile,
  knownBytes,
  missingAt,
  truncatedBefore,
} from './file-identity.js';

/** Bytes that come in blocks, and a way to let go of what they come from. */
export interface ByteInput {
  readonly blocks: AsyncIterable<Buffer>;
  /** Of a file, from the first block on: what it was when it was opened. */
  readonly found?: FoundFile | undefined;
  /** Ends reading at once; a block that is awaited may fail. */
  stop(): void;
}

/**
 * Reads a file from a position on; a name that ends in `.gz` is unpacked, and the position counts
 * unpacked bytes, which are read again and skipped.
 *
 * Fails with ERR_SOURCE_FAILED naming the path: no such file, not readable, damaged; and with
 * ERR_SOURCE_CHANGED when the file before the position is not what it was.
 */
export function fileBytes(path: string, position: FilePosition): ByteInput {
  return new FileInput(path, position);
}

class FileInput implements ByteInput {
  readonly blocks: AsyncIterable<Buffer>;
  found: FoundFile | undefined;
  private readonly path: string;
  private readonly position: FilePosition;
  private readonly stopping = new AbortController();

  constructor(path: string, position: FilePosition) {
    this.path = path;
    this.position = position;
    this.blocks = this.read();
  }

  stop(): void {
    this.stopping.abort();
  }

  private async *read(): AsyncGenerator<Buffer> {
    const { path, position } = this;
    try {
      const size = await this.sizeNow();
      if (path.endsWith('.gz')) yield* this.readPacked(size);
      else {
        if (position.byte > 0) await this.checkBefore(size);
        else this.found = { size, head: nothing, before: nothing };
        yield* this.open(position.byte);
      }
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      if (error instanceof MillraceError) throw error;
      throw new MillraceError('ERR_SOURCE_FAILED', `cannot read ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  private async sizeNow(): Promise<number> {
    const { path, position } = this;
    try {
      const { size } = await stat(path);
      assertNotShorter(path, position, size);
      return size;
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      throw isMissing && position.byte > 0 ? missingAt(path, position.byte) : error;
    }
  }

  private async checkBefore(size: number): Promise<void> {
    const { path, position } = this;
    const { byte } = position;
    const known = knownBytes(byte);
    const file = await open(path);
    try {
      const head = await readAt(file, 0, known);
      const before = await readAt(file, byte - known, known);
      this.found = { size, head, before };
    } finally {
      await file.close();
    }
    assertSameBytes(path, position, this.found);
  }

  private async *readPacked(size: number): AsyncGenerator<Buffer> {
    const { path, position } = this;
    const { byte } = position;
    const known = knownBytes(byte);
    let head = nothing;
    let before = nothing;
    let skipped = 0;
    const goOn = (): void => {
      this.found = { size, head, before };
      assertSameBytes(path, position, this.found);
    };
    if (byte === 0) goOn();
    for await (const block of this.open(0)) {
      const skip = Math.min(block.length, byte - skipped);
      if (skip > 0) {
        const passed = block.subarray(0, skip);
        if (head.length < known) head = Buffer.concat([head, passed]).subarray(0, known);
        before = lastBytes([before, passed], known);
        skipped += skip;
        if (skipped === byte) goOn();
      }
      if (skip < block.length) yield block.subarray(skip);
    }
    if (skipped < byte) throw truncatedBefore(path, byte);
  }

  private open(start: number): Readable {
    const { path } = this;
    const { signal } = this.stopping;
    const highWaterMark = connectorLimits.readBlockBytes;
    const file = createReadStream(path, { start, highWaterMark, signal });
    if (!path.endsWith('.gz')) return file;
    // A failure of the file reaches whoever reads what is unpacked.
    return pipeline(file, createGunzip({ chunkSize: highWaterMark }), () => {});
  }
}

const nothing: Buffer = Buffer.alloc(0);

/** The last bytes of some buffers together, at most `count`. */
export function lastBytes(buffers: readonly Buffer[], count: number): Buffer {
  const last = buffers.at(-1)!;
  const all = last.length >= count ? last : Buffer.concat(buffers);
  return all.subarray(Math.max(0, all.length - count));
}

async function readAt(file: FileHandle, fromByte: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, fromByte + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
