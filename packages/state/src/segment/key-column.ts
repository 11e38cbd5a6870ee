import { type ByteReader, ByteWriter, readKey, writeKey } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import { readBlobs, writeBlobs } from './blob-column.js';
import { type BlobColumn, blockRowsMax } from './block.js';
import { int32Scratch, readInt32Scratch, writeInt32Scratch } from './number-column.js';
import type { RowSpan } from './row-span.js';

/** How a column is written; frozen. */
const KeyForm = { int32: 0, canonical: 1 } as const;

const scratch = new ByteWriter();
const scratchEnds = new Uint32Array(blockRowsMax);
const scratchBlobs = { bytes: scratch.bytes, ends: scratchEnds };

/**
 * Writes 32-bit integers as such, anything else as canonical bytes.
 *
 * @throws MillraceError `ERR_INVALID_KEY`
 */
export function writeKeys(out: ByteWriter, keys: readonly Key[], count: number): void {
  if (toInt32(keys, count)) {
    out.u8(KeyForm.int32);
    writeInt32Scratch(out, count);
    return;
  }
  scratch.reset();
  for (let row = 0; row < count; row += 1) {
    writeKey(scratch, keys[row]!);
    scratchEnds[row] = scratch.length;
  }
  scratchBlobs.bytes = scratch.bytes;
  writeKeyBytes(out, scratchBlobs, count);
}

/** Writes keys that are canonical bytes already. */
export function writeKeyBytes(out: ByteWriter, keys: BlobColumn, count: number): void {
  out.u8(KeyForm.canonical);
  writeBlobs(out, keys, count);
}

/** Reads the keys of a span to the front of `keys`. */
export function readKeys(reader: ByteReader, keys: Key[], span: RowSpan): void {
  const rows = span.to - span.from;
  const form = reader.u8();
  if (form === KeyForm.int32) {
    readInt32Scratch(reader, span);
    for (let row = 0; row < rows; row += 1) keys[row] = int32Scratch[row]!;
  } else if (form === KeyForm.canonical) {
    readBlobs(reader, scratchBlobs, span);
    readCanonical(reader, keys, rows);
  } else {
    reader.corrupt(`${form} is not the form of a column of keys`);
  }
}

function readCanonical(reader: ByteReader, keys: Key[], rows: number): void {
  const end = reader.offset;
  const start = scratchBlobs.bytes.byteOffset - reader.bytes.byteOffset;
  reader.offset = start;
  for (let row = 0; row < rows; row += 1) {
    keys[row] = readKey(reader);
    if (reader.offset !== start + scratchEnds[row]!) {
      reader.corrupt(`the key of row ${row} has another length`);
    }
  }
  reader.offset = end;
}

/** Whether all are 32-bit integers; −0 is not, because its canonical form is 0. */
function toInt32(keys: readonly Key[], count: number): boolean {
  for (let row = 0; row < count; row += 1) {
    const key = keys[row]!;
    if (typeof key !== 'number') return false;
    const integer = key | 0;
    if (integer !== key) return false;
    int32Scratch[row] = integer;
  }
  return true;
}
