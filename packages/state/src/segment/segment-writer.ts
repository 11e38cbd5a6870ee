import { crc32 } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import { ByteWriter } from '@millrace/core/internal';
import { stateLimits } from '../limits.js';
import { type BlockColumns, type BlockKind, blockRowsMax, type StateLayout } from './block.js';
import { blobsOf, numbersOf, writeBody } from './block-body.js';
import { ChunkBuffers } from './chunk-buffers.js';
import { type BlockEntry, FooterWriter, type SegmentIndex } from './segment-footer.js';
import {
  frameBytes,
  headerBytes,
  headMagic,
  segmentCodecVersion,
  segmentFormatVersion,
  tailMagic,
  trailerBytes,
} from './segment-format.js';

/**
 * Makes a segment file, in memory: the caller adds blocks, and writes the chunks that
 * {@link SegmentWriter.takeChunks} gives.
 *
 * @example
 * const writer = new SegmentWriter();
 * const layout = writer.layout(stateLayout);
 * writer.add(layout, 'rows', [], columns);
 * writer.finish();
 * for (const chunk of writer.takeChunks()) await blob.write(chunk);
 */
export class SegmentWriter {
  private readonly footer = new FooterWriter();
  private chunks: Uint8Array[] = [];
  private chunkBytes = 0;
  /** The chunk that is being filled. */
  private current: ByteWriter;
  private taken = 0;
  private finished = false;
  private readonly buffers: ChunkBuffers;

  /** @param buffers where memory for chunks comes from, and goes to by `give` when they are written */
  constructor(buffers = new ChunkBuffers()) {
    assertLittleEndian();
    this.buffers = buffers;
    this.current = buffers.take();
    writeHeader(this.current);
  }

  /** Bytes of the file so far; all of them after `finish`. */
  get totalBytes(): number {
    return this.taken + this.bytesPending;
  }

  /** Bytes that nobody has taken yet. */
  get bytesPending(): number {
    return this.chunkBytes + this.current.length;
  }

  /**
   * The index of a layout for {@link SegmentWriter.add}; the same for one that says the same.
   *
   * @throws MillraceError `ERR_INVARIANT` if it has more identity columns than columns
   */
  layout(layout: StateLayout): number {
    const { numbers, blobs, identityNumbers, identityBlobs } = layout;
    assert(numbers + blobs <= stateLimits.segmentColumnsMax, 'a layout has too many columns');
    assert(
      identityNumbers <= numbers && identityBlobs <= blobs,
      'a layout has more identity columns than columns',
    );
    return this.footer.layout(layout);
  }

  /**
   * Appends one block with copies of the columns' rows; −0 in a namespace becomes 0. A `drop`
   * has no rows: its columns are not looked at.
   *
   * @throws MillraceError `ERR_INVARIANT` unless there are 1 to 512 rows with rising key groups;
   *   `ERR_INVALID_KEY`. The writer is of no use afterwards.
   */
  add(
    layout: number,
    kind: Exclude<BlockKind, 'drop'>,
    namespace: readonly number[],
    columns: BlockColumns,
  ): void;
  add(layout: number, kind: BlockKind, namespace: readonly number[], columns?: BlockColumns): void;
  add(layout: number, kind: BlockKind, namespace: readonly number[], columns?: BlockColumns): void {
    assert(!this.finished, 'a block is added to a finished segment');
    const known = this.footer.layouts[layout];
    if (known === undefined) throw new MillraceError('ERR_INVARIANT', `no layout ${layout}`);
    if (kind === 'drop') {
      const entry = { lowGroup: 0, highGroup: 0, count: 0 };
      this.footer.add({ layout, kind, namespace, length: 0, crc: 0, ...entry });
      this.frame(0, 0, this.current.length);
      return;
    }
    if (columns === undefined) throw new MillraceError('ERR_INVARIANT', 'a block has no columns');
    assertColumns(known, kind, columns);
    this.addRows(layout, known, kind, namespace, columns);
    if (this.current.length >= stateLimits.segmentChunkBytes) this.closeChunk();
  }

  /**
   * Appends a block of another segment as it is.
   *
   * @param layout index in this segment of the block's layout
   * @param framed the block with its frame, as `readFrames` gives it
   */
  copy(layout: number, entry: BlockEntry, framed: Uint8Array): void {
    assert(!this.finished, 'a block is added to a finished segment');
    this.current.raw(framed);
    this.footer.add({ ...entry, layout });
    if (this.current.length >= stateLimits.segmentChunkBytes) this.closeChunk();
  }

  /** The chunks that are ready, which are the caller's from now on; all after `finish`. */
  takeChunks(): Uint8Array[] {
    const { chunks } = this;
    this.chunks = [];
    this.taken += this.chunkBytes;
    this.chunkBytes = 0;
    return chunks;
  }

  /** Writes what follows the last block; returns what the file holds. */
  finish(): SegmentIndex {
    assert(!this.finished, 'a segment is finished twice');
    this.finished = true;
    const offset = this.totalBytes;
    const out = this.current;
    const start = out.length;
    this.footer.write(out);
    const length = out.length - start;
    const crc = crc32(out.bytes.subarray(start, out.length));
    out.ensure(trailerBytes);
    out.view.setBigUint64(out.length, BigInt(offset), true);
    out.view.setUint32(out.length + 8, length, true);
    out.view.setUint32(out.length + 12, crc, true);
    out.bytes.set(tailMagic, out.length + 16);
    out.length += trailerBytes;
    this.chunks.push(out.bytes.subarray(0, out.length));
    this.chunkBytes += out.length;
    this.current = new ByteWriter();
    return { ...this.footer.index, bytes: this.totalBytes };
  }

  private addRows(
    index: number,
    layout: StateLayout,
    kind: BlockKind,
    namespace: readonly number[],
    columns: BlockColumns,
  ): void {
    const out = this.current;
    const start = out.length;
    out.ensure(frameBytes);
    out.length += frameBytes;
    writeBody(out, layout, kind, columns);
    const length = out.length - start - frameBytes;
    const crc = crc32(out.bytes.subarray(start + frameBytes, out.length));
    out.length = start;
    this.frame(length, crc, start);
    out.length += length;
    const { count, groups } = columns;
    const lowGroup = groups[0]!;
    const highGroup = groups[count - 1]!;
    this.footer.add({ layout: index, kind, namespace, length, crc, lowGroup, highGroup, count });
  }

  private frame(length: number, crc: number, start: number): void {
    const out = this.current;
    out.ensure(frameBytes);
    out.view.setUint32(start, length, true);
    out.view.setUint32(start + 4, crc, true);
    out.length += frameBytes;
  }

  private closeChunk(): void {
    const { bytes, length } = this.current;
    this.chunks.push(bytes.subarray(0, length));
    this.chunkBytes += length;
    this.current = this.buffers.take();
  }
}

function writeHeader(out: ByteWriter): void {
  out.ensure(headerBytes);
  out.bytes.set(headMagic);
  out.view.setUint16(8, segmentFormatVersion, true);
  out.view.setUint16(10, segmentCodecVersion, true);
  out.view.setUint32(12, crc32(out.bytes.subarray(0, 12)), true);
  out.length = headerBytes;
}

function assertColumns(layout: StateLayout, kind: BlockKind, columns: BlockColumns): void {
  const { count, numbers, blobs } = columns;
  assert(count >= 1 && count <= blockRowsMax, `a block has ${count} rows`);
  assert(
    numbers.length >= numbersOf(layout, kind) && blobs.length >= blobsOf(layout, kind),
    'a block has fewer columns than its layout',
  );
}

/** Columns are copied as they lie in memory, and files move between machines. */
function assertLittleEndian(): void {
  assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, 'the machine is big-endian');
}

function assert(condition: boolean, what: string): void {
  if (!condition) throw new MillraceError('ERR_INVARIANT', what);
}
