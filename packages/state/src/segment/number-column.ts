import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import { blockRowsMax } from './block.js';
import type { RowSpan } from './row-span.js';

/** How a column is written; frozen. */
const NumberForm = { constant: 0, int32: 1, float64: 2 } as const;

/** Aligned, as the bytes of a file are not. */
export const int32Scratch: Int32Array = new Int32Array(blockRowsMax);
const int32Bytes = new Uint8Array(int32Scratch.buffer);
const float64Scratch = new Float64Array(blockRowsMax);
const float64Words = new Uint32Array(float64Scratch.buffer);
const float64Bytes = new Uint8Array(float64Scratch.buffer);

/** Writes doubles bit by bit, except that every NaN gets the same bits, in the shortest form. */
export function writeNumbers(out: ByteWriter, column: Float64Array, count: number): void {
  if (isConstant(column, count)) {
    out.u8(NumberForm.constant);
    out.float64(column[0]!);
  } else if (toInt32(column, count)) {
    out.u8(NumberForm.int32);
    writeInt32Scratch(out, count);
  } else {
    out.u8(NumberForm.float64);
    out.raw(hasNaN(column, count) ? withOneNaN(column, count) : bytesOf(column, count));
  }
}

/** Reads the rows of a span to the front of `column`. */
export function readNumbers(reader: ByteReader, column: Float64Array, span: RowSpan): void {
  const { count, from, to } = span;
  const form = reader.u8();
  if (form === NumberForm.constant) {
    column.fill(reader.float64(), 0, to - from);
  } else if (form === NumberForm.int32) {
    readInt32Scratch(reader, span);
    for (let row = 0; row < to - from; row += 1) column[row] = int32Scratch[row]!;
  } else if (form === NumberForm.float64) {
    const start = reader.advance(count * 8);
    const target = bytesOf(column, to - from);
    target.set(reader.bytes.subarray(start + from * 8, start + to * 8));
  } else {
    reader.corrupt(`${form} is not the form of a column of numbers`);
  }
}

/** Writes the first integers of {@link int32Scratch}. */
export function writeInt32Scratch(out: ByteWriter, count: number): void {
  out.raw(int32Bytes.subarray(0, count * 4));
}

/** Reads the integers of a span to the front of {@link int32Scratch}. */
export function readInt32Scratch(reader: ByteReader, { count, from, to }: RowSpan): void {
  const start = reader.advance(count * 4);
  int32Bytes.set(reader.bytes.subarray(start + from * 4, start + to * 4));
}

function isConstant(column: Float64Array, count: number): boolean {
  const first = column[0]!;
  for (let row = 1; row < count; row += 1) if (!Object.is(column[row]!, first)) return false;
  return true;
}

/** Whether all are 32-bit integers, and not −0; if so, they are in the scratch afterwards. */
function toInt32(column: Float64Array, count: number): boolean {
  for (let row = 0; row < count; row += 1) {
    const value = column[row]!;
    const integer = value | 0;
    if (integer !== value || Object.is(value, -0)) return false;
    int32Scratch[row] = integer;
  }
  return true;
}

function hasNaN(column: Float64Array, count: number): boolean {
  for (let row = 0; row < count; row += 1) if (Number.isNaN(column[row]!)) return true;
  return false;
}

function withOneNaN(column: Float64Array, count: number): Uint8Array {
  float64Bytes.set(bytesOf(column, count));
  for (let row = 0; row < count; row += 1) {
    if (!Number.isNaN(column[row]!)) continue;
    float64Words[2 * row] = 0;
    float64Words[2 * row + 1] = 0x7ff80000;
  }
  return float64Bytes.subarray(0, count * 8);
}

function bytesOf(column: Float64Array, count: number): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, count * 8);
}
