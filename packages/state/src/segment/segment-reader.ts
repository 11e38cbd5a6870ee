import { crc32 } from 'node:zlib';
import { ByteReader, type KeyGroupRange } from '@millrace/core/internal';
import { stateLimits } from '../limits.js';
import type { Block, BlockColumns } from './block.js';
import { readBody } from './block-body.js';
import { newBlockColumns } from './block-columns.js';
import { type BlockEntry, readFooter, type SegmentIndex } from './segment-footer.js';
import {
  corruptSegment,
  decoding,
  frameBytes,
  headerBytes,
  headMagic,
  type ReadBytes,
  segmentCodecVersion,
  segmentFormatVersion,
  tailMagic,
  trailerBytes,
} from './segment-format.js';

/**
 * Reads and verifies everything of a segment but its blocks.
 *
 * @param size bytes of the file
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`, saying what is damaged; what `read` throws
 */
export async function readSegmentIndex(read: ReadBytes, size: number): Promise<SegmentIndex> {
  if (size < headerBytes + trailerBytes) {
    throw corruptSegment('file', `${size} bytes are too few`);
  }
  const tailFrom = Math.max(0, size - stateLimits.segmentTailBytes);
  const tail = await readExactly(read, tailFrom, size - tailFrom);
  const header = tailFrom === 0 ? tail : await readExactly(read, 0, headerBytes);
  checkHeader(header.subarray(0, headerBytes));
  const { offset, length, crc } = readTrailer(tail.subarray(tail.length - trailerBytes), size);
  const footer =
    offset >= tailFrom
      ? tail.subarray(offset - tailFrom, offset - tailFrom + length)
      : await readExactly(read, offset, length);
  const where = `footer at byte ${offset}`;
  if (crc32(footer) !== crc) throw corruptSegment(where, 'its checksum is another');
  return { ...decoding(where, () => readFooter(footer, offset)), bytes: size };
}

/**
 * The blocks that have rows of some key groups, with these rows only, in the order in which they
 * act; `drop`s always. A block and its columns are valid until the next one is asked for.
 *
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`, saying which block; what `read` throws
 */
export function readBlocks(
  index: SegmentIndex,
  read: ReadBytes,
  range: KeyGroupRange,
): AsyncIterable<Block> {
  const touching = index.blocks.filter((entry) => entry.kind === 'drop' || touches(entry, range));
  return readEntries(index, read, touching, range);
}

/** As {@link readBlocks}, for given entries of the index. */
export async function* readEntries(
  index: SegmentIndex,
  read: ReadBytes,
  entries: readonly BlockEntry[],
  range: KeyGroupRange,
): AsyncGenerator<Block> {
  const columnsOf = new Map<number, BlockColumns>();
  for await (const { entry, framed } of readFrames(read, entries)) {
    let columns = columnsOf.get(entry.layout);
    if (columns === undefined) {
      columns = newBlockColumns(index.layouts[entry.layout]!);
      columnsOf.set(entry.layout, columns);
    }
    decodeBlock(index, entry, framed, range, columns);
    // A range may lie between two groups of a block.
    if (columns.count === 0 && entry.kind !== 'drop') continue;
    yield { layout: entry.layout, kind: entry.kind, namespace: entry.namespace, columns };
  }
}

/** A block with its frame, not decoded. */
export interface FramedBlock {
  readonly entry: BlockEntry;
  readonly framed: Uint8Array;
}

/**
 * Blocks as they lie in the file, neighbours read together. Checked against the index, not decoded.
 *
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`; what `read` throws
 */
export async function* readFrames(
  read: ReadBytes,
  entries: readonly BlockEntry[],
): AsyncGenerator<FramedBlock> {
  for (let at = 0; at < entries.length; ) {
    const end = endOfRead(entries, at);
    const from = entries[at]!.offset;
    const bytes = await readExactly(read, from, endOf(entries[end - 1]!) - from);
    for (; at < end; at += 1) {
      const entry = entries[at]!;
      const framed = bytes.subarray(entry.offset - from, endOf(entry) - from);
      checkFrame(entry, framed);
      yield { entry, framed };
    }
  }
}

/** Whether a block may have rows of these groups. */
export function touches({ lowGroup, highGroup, count }: BlockEntry, range: KeyGroupRange): boolean {
  return count > 0 && lowGroup <= range.last && highGroup >= range.first;
}

function decodeBlock(
  index: SegmentIndex,
  entry: BlockEntry,
  framed: Uint8Array,
  range: KeyGroupRange,
  columns: BlockColumns,
): void {
  decoding(`block of ${entry.kind} at byte ${entry.offset}`, () => {
    const reader = new ByteReader(framed);
    reader.advance(frameBytes);
    columns.count = 0;
    if (entry.kind === 'drop') return;
    readBody(reader, index.layouts[entry.layout]!, entry, range, columns);
  });
}

function checkFrame(entry: BlockEntry, framed: Uint8Array): void {
  decoding(`block of ${entry.kind} at byte ${entry.offset}`, () => {
    const reader = new ByteReader(framed);
    const length = reader.view.getUint32(reader.advance(4), true);
    const crc = reader.view.getUint32(reader.advance(4), true);
    if (length !== entry.length) reader.corrupt(`its length is ${length}, not ${entry.length}`);
    if (crc !== entry.crc) reader.corrupt('its checksum is not that in the index');
    if (crc32(framed.subarray(frameBytes)) !== crc) reader.corrupt('its checksum is another');
  });
}

/** The entry after the last one that is read together with the one at `at`. */
function endOfRead(entries: readonly BlockEntry[], at: number): number {
  const limit = entries[at]!.offset + stateLimits.segmentReadBytesMax;
  let end = at + 1;
  while (
    end < entries.length &&
    entries[end]!.offset === endOf(entries[end - 1]!) &&
    endOf(entries[end]!) <= limit
  ) {
    end += 1;
  }
  return end;
}

function endOf({ offset, length }: BlockEntry): number {
  return offset + frameBytes + length;
}

async function readExactly(read: ReadBytes, from: number, length: number): Promise<Uint8Array> {
  const bytes = await read(from, length);
  if (bytes.length === length) return bytes;
  const reason = `${length} bytes expected, ${bytes.length} are there`;
  throw corruptSegment(`file at byte ${from}`, reason);
}

function checkHeader(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  if (!equal(bytes.subarray(0, 8), headMagic)) throw corruptSegment('header', 'not a segment');
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) {
    throw corruptSegment('header', 'its checksum is another');
  }
  const format = view.getUint16(8, true);
  const codec = view.getUint16(10, true);
  if (format === segmentFormatVersion && codec === segmentCodecVersion) return;
  throw corruptSegment(
    'header',
    `format ${format} with codec ${codec} is not known here; another version of Millrace wrote it`,
  );
}

function readTrailer(
  bytes: Uint8Array,
  size: number,
): { offset: number; length: number; crc: number } {
  const view = viewOf(bytes);
  if (!equal(bytes.subarray(16), tailMagic)) {
    throw corruptSegment('trailer', 'the file does not end as a segment does');
  }
  const offset = Number(view.getBigUint64(0, true));
  const length = view.getUint32(8, true);
  if (offset < headerBytes || offset + length + trailerBytes !== size) {
    throw corruptSegment('trailer', `no footer of ${length} bytes at ${offset} of ${size}`);
  }
  return { offset, length, crc: view.getUint32(12, true) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, at) => byte === b[at]);
}
