import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import { SmallForm } from './frame-format.js';
import { copyToScratch } from './number-column.js';
import { scratch } from './scratch.js';

/** Writes kinds or key groups: the one that all rows have, or each in one or two bytes. */
export function writeSmall(out: ByteWriter, column: Uint8Array | Uint16Array, count: number): void {
  let all = 0;
  let differing = 0;
  const first = column[0] ?? 0;
  for (let row = 0; row < count; row += 1) {
    all |= column[row]!;
    differing |= column[row]! ^ first;
  }
  if (differing === 0) {
    out.u8(SmallForm.constant);
    out.varint(first);
  } else if (all <= 0xff) {
    out.u8(SmallForm.u8);
    for (let row = 0; row < count; row += 1) scratch.u8[row] = column[row]!;
    out.raw(scratch.u8.subarray(0, count));
  } else {
    out.u8(SmallForm.u16);
    for (let row = 0; row < count; row += 1) scratch.u16[row] = column[row]!;
    out.raw(scratch.u8.subarray(0, count * 2));
  }
}

/** Reads what {@link writeSmall} wrote to the front of `target`. */
export function readSmall(
  reader: ByteReader,
  count: number,
  target: Uint8Array | Uint16Array,
): void {
  const form = reader.u8();
  const elementBytes = target.BYTES_PER_ELEMENT;
  if (form === SmallForm.constant) {
    const value = reader.varint();
    if (value >= 2 ** (8 * elementBytes)) reader.corrupt(`${value} is too large for its column`);
    target.fill(value, 0, count);
  } else if (form === SmallForm.u8) {
    const start = reader.advance(count);
    target.set(reader.bytes.subarray(start, start + count));
  } else if (form === SmallForm.u16 && elementBytes === 2) {
    copyToScratch(reader, count * 2);
    target.set(scratch.u16.subarray(0, count));
  } else {
    reader.corrupt(`${form} is not the form of a column of small integers`);
  }
}
