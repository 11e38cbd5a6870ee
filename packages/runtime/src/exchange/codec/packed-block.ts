import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '@millrace/core/internal';
import { Packr } from 'msgpackr';
import { readRecords, writeRecords } from './record-block.js';

/** Objects within objects that msgpackr is given; deeper ones it might not return from. */
const packedDepthMax = 64;

/** Without structures that outlive a call, so that what it packs can be read on its own. */
const packr = new Packr({ useRecords: true });
const body = new ByteWriter();

/** Matches surrogates without a partner; V8 knows at once that there are none in one-byte text. */
const loneSurrogate = /[\ud800-\udfff]/u;

/**
 * Whether msgpackr returns a value as it was. It would make 0 of −0, a replacement character of
 * half a surrogate pair, another name of `__proto__`, and something else of most built-ins.
 */
export function isPackable(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'number':
      return value !== 0 || 1 / value > 0;
    case 'string':
      return !loneSurrogate.test(value);
    case 'object':
      return value === null || (depth < packedDepthMax && isPackableObject(value, depth));
    default:
      return typeof value === 'boolean' || value === undefined;
  }
}

function isPackableObject(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype && Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) {
      if (!isPackable(value[at], depth + 1)) return false;
      if (value[at] === undefined && !Object.hasOwn(value, at)) return false;
    }
    return true;
  }
  if (prototype !== Object.prototype) return false;
  const object = value as Readonly<Record<string, unknown>>;
  for (const name in object) {
    if (!Object.hasOwn(object, name) || name === '__proto__' || loneSurrogate.test(name)) {
      return false;
    }
    if (!isPackable(object[name], depth + 1)) return false;
  }
  return true;
}

/**
 * Writes values of any kind by msgpackr, those that it would change by core's codec: a checksum,
 * the rows of the latter, their bytes, and the rest as one array with `null` in their places.
 *
 * @throws MillraceError `ERR_UNSERIALISABLE_VALUE`
 */
export function writePacked(out: ByteWriter, values: readonly unknown[], count: number): void {
  const packed = values.slice(0, count);
  const rows: number[] = [];
  for (let row = 0; row < count; row += 1) {
    if (isPackable(packed[row])) continue;
    rows.push(row);
    packed[row] = null;
  }
  body.reset();
  body.varint(rows.length);
  for (const row of rows) body.varint(row);
  writeRecords(
    body,
    rows.map((row) => values[row]),
    rows.length,
  );
  body.raw(packr.pack(packed));
  out.ensure(4);
  out.view.setUint32(out.length, crc32(body.bytes.subarray(0, body.length)), true);
  out.length += 4;
  out.varint(body.length);
  out.raw(body.bytes.subarray(0, body.length));
}

/**
 * Reads what {@link writePacked} wrote. By the checksum, because msgpackr believes what damaged
 * bytes say, for example the length of an array.
 */
export function readPacked(reader: ByteReader, count: number): unknown[] {
  const checksum = reader.view.getUint32(reader.advance(4), true);
  const length = reader.varint();
  const start = reader.advance(length);
  const bytes = reader.bytes.subarray(start, start + length);
  if (crc32(bytes) !== checksum) reader.corrupt('a checksum is wrong');
  const block = new ByteReader(bytes);
  const rows = Array.from({ length: block.count(1) }, () => block.varint());
  const escaped = readRecords(block, rows.length);
  const values: unknown = packr.unpack(bytes.subarray(block.offset));
  if (!Array.isArray(values) || values.length !== count) reader.corrupt('not as many values');
  for (const [at, row] of rows.entries()) values[row] = escaped[at];
  return values;
}
