import type { ByteReader, ByteWriter } from '@millrace/core/internal';
import { ValueForm } from './frame-format.js';
import { scratch } from './scratch.js';

/** In the order of their codes; frozen. */
const coded: readonly unknown[] = [undefined, null, false, true];

/** Stands in the place of the code of all rows where each has its own. */
const codeForEachRow = 0xff;

/** The code of `undefined`, `null`, `false` and `true`; −1 for anything else. */
export function codeOf(value: unknown): number {
  if (value === undefined) return 0;
  if (value === null) return 1;
  if (typeof value === 'boolean') return value ? 3 : 2;
  return -1;
}

/** Writes values that have codes; false, and nothing written, if one has none. */
export function writeCodes(out: ByteWriter, values: readonly unknown[], count: number): boolean {
  let differing = 0;
  const first = count === 0 ? 0 : codeOf(values[0]);
  for (let row = 0; row < count; row += 1) {
    const code = codeOf(values[row]);
    if (code < 0) return false;
    differing |= code ^ first;
    scratch.u8[row] = code;
  }
  out.u8(ValueForm.code);
  out.u8(differing === 0 ? first : codeForEachRow);
  if (differing !== 0) out.raw(scratch.u8.subarray(0, count));
  return true;
}

/** Reads what {@link writeCodes} wrote. */
export function readCodes(reader: ByteReader, count: number): unknown[] {
  const first = reader.u8();
  const values = new Array<unknown>(count);
  if (first !== codeForEachRow) {
    if (first >= coded.length) reader.corrupt(`${first} is not the code of a value`);
    return values.fill(coded[first]);
  }
  const start = reader.advance(count);
  for (let row = 0; row < count; row += 1) {
    const code = reader.bytes[start + row]!;
    if (code >= coded.length) reader.corrupt(`${code} is not the code of a value`);
    values[row] = coded[code];
  }
  return values;
}
