import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import { NumberForm } from './frame-format.js';
import { scratch, scratchNumbers } from './scratch.js';

const int32Min = -(2 ** 31);
const int32Max = 2 ** 31 - 1;

/** What a column of numbers decodes to: an array of small integers, or else doubles. */
export type NumberValues = unknown[] | Float64Array;

/** Copies `values` to {@link scratchNumbers}; false if one of them is no number. */
export function toNumbers(values: readonly unknown[], count: number): boolean {
  for (let row = 0; row < count; row += 1) {
    const value = values[row];
    if (typeof value !== 'number') return false;
    scratchNumbers[row] = value;
  }
  return true;
}

/** Writes doubles exactly, integers that are near one another as distances from the least. */
export function writeNumbers(out: ByteWriter, column: Float64Array, count: number): void {
  let low = count === 0 ? 0 : column[0]!;
  let high = low;
  let row = 0;
  for (; row < count; row += 1) {
    const value = column[row]!;
    if (Math.floor(value) !== value || Object.is(value, -0)) break;
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  // Differences of integers below 2^32 are exact, however large the integers are.
  const form = row < count ? NumberForm.float64 : formFor(low, high);
  out.u8(form);
  switch (form) {
    case NumberForm.float64:
      out.raw(new Uint8Array(column.buffer, column.byteOffset, count * 8));
      break;
    case NumberForm.int32:
      for (let at = 0; at < count; at += 1) scratch.int32[at] = column[at]!;
      out.raw(scratch.u8.subarray(0, count * 4));
      break;
    default:
      out.float64(low);
      writeOffsets(out, column, count, { form, low });
  }
}

/** NaN, from infinities, and a range that is too large both end in doubles. */
function formFor(low: number, high: number): number {
  const range = high - low;
  if (range <= 0) return NumberForm.constant;
  if (range <= 0xff) return NumberForm.u8;
  if (range <= 0xffff) return NumberForm.u16;
  if (low >= int32Min && high <= int32Max) return NumberForm.int32;
  return range <= 0xffffffff ? NumberForm.u32 : NumberForm.float64;
}

function writeOffsets(
  out: ByteWriter,
  column: Float64Array,
  count: number,
  { form, low }: { readonly form: number; readonly low: number },
): void {
  if (form === NumberForm.u8) {
    for (let row = 0; row < count; row += 1) scratch.u8[row] = column[row]! - low;
    out.raw(scratch.u8.subarray(0, count));
  } else if (form === NumberForm.u16) {
    for (let row = 0; row < count; row += 1) scratch.u16[row] = column[row]! - low;
    out.raw(scratch.u8.subarray(0, count * 2));
  } else if (form === NumberForm.u32) {
    for (let row = 0; row < count; row += 1) scratch.u32[row] = column[row]! - low;
    out.raw(scratch.u8.subarray(0, count * 4));
  }
}

/** Reads what {@link writeNumbers} wrote to the front of `target`. */
export function readNumbers(reader: ByteReader, count: number, target: Float64Array): void {
  const form = reader.u8();
  switch (form) {
    case NumberForm.float64:
      readDoubles(reader, count, target);
      break;
    case NumberForm.constant:
      target.fill(reader.float64(), 0, count);
      break;
    case NumberForm.int32:
      copyToScratch(reader, count * 4);
      for (let row = 0; row < count; row += 1) target[row] = scratch.int32[row]!;
      break;
    default: {
      const low = reader.float64();
      const offsets = readOffsets(reader, form, count);
      for (let row = 0; row < count; row += 1) target[row] = low + offsets[row]!;
    }
  }
}

/**
 * The same as values of records. Integers that fit are integers to V8, too: objects made of them
 * need no boxes.
 */
export function readNumberValues(reader: ByteReader, count: number): NumberValues {
  const start = reader.offset;
  const form = reader.u8();
  if (form === NumberForm.int32) {
    copyToScratch(reader, count * 4);
    return integers(scratch.int32, count, 0);
  }
  if (form !== NumberForm.float64) {
    const low = reader.float64();
    const fits = (low | 0) === low && low <= int32Max - 0xffff;
    if (fits && form === NumberForm.constant) return new Array<unknown>(count).fill(low | 0);
    if (fits && (form === NumberForm.u8 || form === NumberForm.u16)) {
      return integers(readOffsets(reader, form, count), count, low | 0);
    }
  }
  reader.offset = start;
  const numbers = new Float64Array(count);
  readNumbers(reader, count, numbers);
  return numbers;
}

function integers(offsets: Uint8Array | Uint16Array | Int32Array, count: number, low: number) {
  const values = new Array<unknown>(count);
  for (let row = 0; row < count; row += 1) values[row] = (low + offsets[row]!) | 0;
  return values;
}

function readOffsets(reader: ByteReader, form: 2 | 3, count: number): Uint8Array | Uint16Array;
function readOffsets(
  reader: ByteReader,
  form: number,
  count: number,
): Uint8Array | Uint16Array | Uint32Array;
function readOffsets(
  reader: ByteReader,
  form: number,
  count: number,
): Uint8Array | Uint16Array | Uint32Array {
  switch (form) {
    case NumberForm.u8:
      copyToScratch(reader, count);
      return scratch.u8;
    case NumberForm.u16:
      copyToScratch(reader, count * 2);
      return scratch.u16;
    case NumberForm.u32:
      copyToScratch(reader, count * 4);
      return scratch.u32;
    default:
      return reader.corrupt(`${form} is not the form of a column of numbers`);
  }
}

function readDoubles(reader: ByteReader, count: number, target: Float64Array): void {
  const start = reader.advance(count * 8);
  const bytes = new Uint8Array(target.buffer, target.byteOffset, count * 8);
  bytes.set(reader.bytes.subarray(start, start + count * 8));
}

/** Moves the next bytes to the front of the scratch memory, where they are aligned. */
export function copyToScratch(reader: ByteReader, byteLength: number): void {
  const start = reader.advance(byteLength);
  scratch.u8.set(reader.bytes.subarray(start, start + byteLength));
}
