import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import { ValueForm } from './frame-format.js';
import { readNumbers, writeNumbers } from './number-column.js';
import { scratchNumbers } from './scratch.js';

/**
 * Writes dates as a column of their times; false, and nothing written, if one of the values is none.
 *
 * @throws TypeError for what merely inherits from a date
 */
export function writeDates(out: ByteWriter, values: readonly unknown[], count: number): boolean {
  for (let row = 0; row < count; row += 1) {
    const value = values[row];
    if (typeof value !== 'object' || value === null) return false;
    if (Object.getPrototypeOf(value) !== Date.prototype) return false;
    scratchNumbers[row] = (value as Date).getTime();
  }
  out.u8(ValueForm.date);
  writeNumbers(out, scratchNumbers, count);
  return true;
}

/** Reads what {@link writeDates} wrote. */
export function readDates(reader: ByteReader, count: number): unknown[] {
  readNumbers(reader, count, scratchNumbers);
  const dates = new Array<unknown>(count);
  for (let row = 0; row < count; row += 1) dates[row] = new Date(scratchNumbers[row]!);
  return dates;
}
