import { MillraceError } from '@millrace/core';
import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import { type BlobColumn, blockRowsMax } from './block.js';
import type { RowSpan } from './row-span.js';

/** How lengths are written: all the same, or each in so many bytes; frozen. */
const LengthForm = { constant: 0, u8: 1, u16: 2, u32: 4 } as const;

const scratch = new ArrayBuffer(blockRowsMax * 4);
const scratchBytes = new Uint8Array(scratch);
const lengthArrays = {
  [LengthForm.u8]: scratchBytes,
  [LengthForm.u16]: new Uint16Array(scratch),
  [LengthForm.u32]: new Uint32Array(scratch),
} as const;

/**
 * Writes the lengths of `count` blobs, then their bytes.
 *
 * @throws MillraceError `ERR_INVARIANT` if the ends fall or lie outside the bytes
 */
export function writeBlobs(out: ByteWriter, { bytes, ends }: BlobColumn, count: number): void {
  let longest = 0;
  let shortest = Number.POSITIVE_INFINITY;
  let end = 0;
  for (let row = 0; row < count; row += 1) {
    const length = ends[row]! - end;
    if (length < 0) throw new MillraceError('ERR_INVARIANT', `ends of blobs fall at row ${row}`);
    if (length > longest) longest = length;
    if (length < shortest) shortest = length;
    end = ends[row]!;
  }
  if (end > bytes.length) {
    throw new MillraceError('ERR_INVARIANT', `blobs end at ${end} of ${bytes.length} bytes`);
  }
  if (longest === shortest) {
    out.u8(LengthForm.constant);
    out.varint(longest);
  } else {
    writeLengths(out, ends, count, formFor(longest));
  }
  out.raw(bytes.subarray(0, end));
}

/** Reads the blobs of a span, without copying their bytes, to the front of `blobs`. */
export function readBlobs(reader: ByteReader, blobs: BlobColumn, span: RowSpan): void {
  const lengths = readLengths(reader, span.count);
  const { ends } = blobs;
  let total = 0;
  let skipped = 0;
  for (let row = 0; row < span.count; row += 1) {
    total += lengths[row]!;
    if (row < span.from) skipped = total;
    else if (row < span.to) ends[row - span.from] = total - skipped;
  }
  const start = reader.advance(total) + skipped;
  const bytes = span.to > span.from ? ends[span.to - span.from - 1]! : 0;
  blobs.bytes = reader.bytes.subarray(start, start + bytes);
}

function formFor(longest: number): 1 | 2 | 4 {
  if (longest <= 0xff) return LengthForm.u8;
  return longest <= 0xffff ? LengthForm.u16 : LengthForm.u32;
}

function writeLengths(out: ByteWriter, ends: Uint32Array, count: number, form: 1 | 2 | 4): void {
  const lengths = lengthArrays[form];
  let end = 0;
  for (let row = 0; row < count; row += 1) {
    lengths[row] = ends[row]! - end;
    end = ends[row]!;
  }
  out.u8(form);
  out.raw(scratchBytes.subarray(0, count * form));
}

function readLengths(reader: ByteReader, count: number): Uint8Array | Uint16Array | Uint32Array {
  const form = reader.u8();
  if (form === LengthForm.constant) {
    return lengthArrays[LengthForm.u32].fill(reader.varint(), 0, count);
  }
  if (form !== LengthForm.u8 && form !== LengthForm.u16 && form !== LengthForm.u32) {
    reader.corrupt(`${form} is not the form of lengths`);
  }
  const start = reader.advance(count * form);
  scratchBytes.set(reader.bytes.subarray(start, start + count * form));
  return lengthArrays[form as 1 | 2 | 4];
}
