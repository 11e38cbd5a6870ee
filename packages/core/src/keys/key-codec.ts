import { bytesOfMagnitude, magnitudeOfBytes } from '../codec/bigint-bytes.js';
import { ByteReader } from '../codec/byte-reader.js';
import { ByteWriter } from '../codec/byte-writer.js';
import { MillraceError } from '../errors/millrace-error.js';
import { doubleOfOrderedBits, orderedBits, orderedBitsOf } from './ordered-double.js';
import { readWtf8, writeWtf8 } from './wtf8.js';

/**
 * What records may be keyed by. `undefined` is not among them, because it is nearly always a
 * misspelt field; where absence is meant, return `null`.
 *
 * Keys are equal by value: `-0` and `0` are one key, `NaN` is one key, `1` and `1n` and `'1'` are
 * three, and two arrays or dates are equal if what they hold is.
 */
export type Key = string | number | bigint | boolean | null | Date | readonly Key[];

/** Arrays within arrays in a key. A deeper one is an accident, or contains itself. */
export const keyDepthMax = 32;

/** Frozen for ever: the bytes decide where a key's state lives. Zero ends a tuple. */
export const keyTags = {
  tupleEnd: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  number: 0x04,
  negativeBigint: 0x05,
  bigint: 0x06,
  string: 0x07,
  date: 0x08,
  tuple: 0x09,
} as const;

/** One buffer for all calls: a new one would cost more than the encoding. */
const scratch = new ByteWriter();

/**
 * The canonical bytes of a key: equal keys have equal bytes, different keys different bytes. Where
 * a key's bytes begin those of another, the other goes on with `FF`: keys may be written one after
 * another, and anything else behind them, as long as that does not begin with `FF`. They sort as
 * tag, then numbers by value, strings by code point, tuples by element (after FoundationDB's tuple
 * layer).
 *
 * @throws MillraceError `ERR_INVALID_KEY`, with the place within the key as `field`
 */
export function encodeKey(key: Key): Uint8Array<ArrayBuffer> {
  scratch.reset();
  writeKey(scratch, key);
  return scratch.copy();
}

/**
 * The key that {@link encodeKey} encoded.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT` for every byte sequence that no key encodes to
 */
export function decodeKey(bytes: Uint8Array): Key {
  const reader = new ByteReader(bytes);
  const key = readKey(reader);
  if (reader.remaining > 0) reader.corrupt('bytes follow the key');
  return key;
}

/**
 * Refuses what is no key, without encoding it.
 *
 * @throws MillraceError `ERR_INVALID_KEY`, with the place within the key as `field`
 */
export function assertKey(key: unknown): asserts key is Key {
  if (!isKey(key, 0)) throw invalidKey(key);
}

function isKey(key: unknown, depth: number): boolean {
  if (!Array.isArray(key)) return isSingleKey(key);
  if (depth === keyDepthMax) return false;
  for (let index = 0; index < key.length; index += 1) {
    if (!isKey(key[index], depth + 1)) return false;
  }
  return true;
}

/** Whether it is a key that is no tuple. */
function isSingleKey(key: unknown): boolean {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return true;
    case 'object':
      return key === null || isDate(key);
    default:
      return false;
  }
}

/** Appends the canonical bytes of a key; errors as {@link encodeKey}. */
export function writeKey(writer: ByteWriter, key: Key): void {
  if (!appendKey(writer, key, 0)) throw invalidKey(key);
}

/**
 * Reads one key and leaves the reader behind it, where the next byte must not be `FF`: it would be
 * taken for the escape of a text that ends with U+0000. Errors as {@link decodeKey}.
 */
export function readKey(reader: ByteReader): Key {
  return readTagged(reader, reader.u8(), 0);
}

/** Whether the key was one; returning it costs no exception frame and no path on the way down. */
function appendKey(writer: ByteWriter, key: Key, depth: number): boolean {
  switch (typeof key) {
    case 'string':
      writer.u8(keyTags.string);
      writeWtf8(writer, key);
      return true;
    case 'number':
      appendDouble(writer, keyTags.number, key);
      return true;
    case 'boolean':
      writer.u8(key ? keyTags.true : keyTags.false);
      return true;
    case 'bigint':
      appendBigint(writer, key);
      return true;
    case 'object':
      return appendObject(writer, key, depth);
    default:
      return false;
  }
}

function appendObject(writer: ByteWriter, key: object | null, depth: number): boolean {
  if (key === null) {
    writer.u8(keyTags.null);
    return true;
  }
  if (isDate(key)) {
    appendDouble(writer, keyTags.date, key.getTime());
    return true;
  }
  if (!Array.isArray(key) || depth === keyDepthMax) return false;
  writer.u8(keyTags.tuple);
  for (let index = 0; index < key.length; index++) {
    if (!appendKey(writer, key[index] as Key, depth + 1)) return false;
  }
  writer.u8(keyTags.tupleEnd);
  return true;
}

function appendDouble(writer: ByteWriter, tag: number, value: number): void {
  orderedBitsOf(value);
  writer.u8(tag);
  writer.ensure(8);
  writer.view.setUint32(writer.length, orderedBits.high);
  writer.view.setUint32(writer.length + 4, orderedBits.low);
  writer.length += 8;
}

/** A length before the digits makes longer ones greater; negative ones are inverted. */
function appendBigint(writer: ByteWriter, value: bigint): void {
  const negative = value < 0n;
  const flip = negative ? 0xff : 0x00;
  const magnitude = bytesOfMagnitude(negative ? -value : value);
  writer.ensure(5 + magnitude.length);
  writer.u8(negative ? keyTags.negativeBigint : keyTags.bigint);
  writer.view.setUint32(writer.length, negative ? ~magnitude.length : magnitude.length);
  writer.length += 4;
  for (const byte of magnitude) writer.u8(byte ^ flip);
}

function readTagged(reader: ByteReader, tag: number, depth: number): Key {
  switch (tag) {
    case keyTags.null:
      return null;
    case keyTags.false:
      return false;
    case keyTags.true:
      return true;
    case keyTags.number:
      return readDouble(reader);
    case keyTags.date:
      return readDate(reader);
    case keyTags.negativeBigint:
    case keyTags.bigint:
      return readBigint(reader, tag === keyTags.negativeBigint);
    case keyTags.string:
      return readWtf8(reader);
    case keyTags.tuple:
      return readTuple(reader, depth);
    default:
      return reader.corrupt(`${tag} is not the tag of a key`);
  }
}

function readTuple(reader: ByteReader, depth: number): Key[] {
  if (depth === keyDepthMax) reader.corrupt('a key is nested too deeply');
  const tuple: Key[] = [];
  for (let tag = reader.u8(); tag !== keyTags.tupleEnd; tag = reader.u8()) {
    tuple.push(readTagged(reader, tag, depth + 1));
  }
  return tuple;
}

function readDouble(reader: ByteReader): number {
  const high = reader.u32() | 0;
  const low = reader.u32() | 0;
  return doubleOfOrderedBits(high, low) ?? reader.corrupt('not a canonical number');
}

function readDate(reader: ByteReader): Date {
  const ms = readDouble(reader);
  const date = new Date(ms);
  if (!Object.is(date.getTime(), ms)) reader.corrupt('not the time of a date');
  return date;
}

function readBigint(reader: ByteReader, negative: boolean): bigint {
  const length = reader.u32();
  const start = reader.advance(negative ? ~length >>> 0 : length);
  const digits = reader.bytes.slice(start, reader.offset);
  if (negative) for (let at = 0; at < digits.length; at++) digits[at]! ^= 0xff;
  if (digits[0] === 0 || (negative && digits.length === 0))
    reader.corrupt('not a canonical bigint');
  const magnitude = magnitudeOfBytes(digits);
  return negative ? -magnitude : magnitude;
}

/** By its internal slot: an object that merely inherits from `Date.prototype` is none. */
function isDate(value: object): value is Date {
  return value instanceof Date && Object.prototype.toString.call(value) === '[object Date]';
}

function invalidKey(key: unknown): MillraceError {
  const { field, reason } = findInvalid(key, 'key', 0) ?? { field: 'key', reason: 'is no key' };
  return new MillraceError('ERR_INVALID_KEY', reason, { field });
}

/** Walks the key a second time, so that the first walk need not keep the path. */
function findInvalid(
  key: unknown,
  field: string,
  depth: number,
): { field: string; reason: string } | undefined {
  if (Array.isArray(key)) {
    if (depth === keyDepthMax) {
      return { field, reason: `arrays within arrays, more than ${keyDepthMax} deep` };
    }
    for (let index = 0; index < key.length; index++) {
      const found = findInvalid(key[index], `${field}[${index}]`, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isSingleKey(key)) return undefined;
  const shown = typeof key === 'object' ? Object.prototype.toString.call(key) : typeof key;
  return { field, reason: `got ${shown}` };
}
