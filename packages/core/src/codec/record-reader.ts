import { magnitudeOfBytes } from './bigint-bytes.js';
import { ByteReader } from './byte-reader.js';
import { recordDepthMax, recordTags, smallIntegerEnd } from './record-tags.js';
import { readText } from './record-text.js';
import { typedArrayOfBytes, typedArrayOfTag } from './typed-arrays.js';

/**
 * Decodes the records that a `RecordWriter` wrote. What is read shares no memory with `bytes`.
 *
 * @example
 * const reader = new RecordReader(bytes);
 * while (!reader.done) handle(reader.read());
 */
export class RecordReader {
  readonly #source: ByteReader;

  constructor(bytes: Uint8Array) {
    this.#source = new ByteReader(bytes);
  }

  /** Whether all bytes have been read. */
  get done(): boolean {
    return this.#source.remaining === 0;
  }

  /**
   * The next record.
   *
   * @throws MillraceError `ERR_CODEC_CORRUPT`; the reader is of no use afterwards
   */
  read(): unknown {
    return readValue(this.#source, 0);
  }

  /**
   * Checks that nothing follows the last record.
   *
   * @throws MillraceError `ERR_CODEC_CORRUPT`
   */
  assertDone(): void {
    if (!this.done) this.#source.corrupt('bytes follow the record');
  }
}

function readValue(source: ByteReader, depth: number): unknown {
  const tag = source.u8();
  if (tag >= smallIntegerEnd) return tag - smallIntegerEnd;
  switch (tag) {
    case recordTags.undefined:
      return undefined;
    case recordTags.null:
      return null;
    case recordTags.false:
      return false;
    case recordTags.true:
      return true;
    case recordTags.int32:
      return readInt32(source);
    case recordTags.float64:
      return source.float64();
    case recordTags.string:
      return readText(source);
    case recordTags.bigint64:
      return source.view.getBigInt64(source.advance(8), true);
    case recordTags.bigPositive:
      return magnitudeOfBytes(readBytes(source));
    case recordTags.bigNegative:
      return -magnitudeOfBytes(readBytes(source));
    case recordTags.date:
      return new Date(source.float64());
    default:
      return readContainer(source, tag, depth);
  }
}

function readInt32(source: ByteReader): number {
  const zigzag = source.varint();
  return (zigzag >>> 1) ^ -(zigzag & 1);
}

function readContainer(source: ByteReader, tag: number, depth: number): unknown {
  if (depth === recordDepthMax) source.corrupt('a record is nested too deeply');
  switch (tag) {
    case recordTags.object:
      return readProperties(source, {}, depth);
    case recordTags.array:
      return readArray(source, depth);
    case recordTags.nullPrototypeObject:
      return readProperties(source, Object.create(null), depth);
    case recordTags.map:
      return readMap(source, depth);
    case recordTags.set:
      return readSet(source, depth);
    case recordTags.arrayBuffer:
      return readBytes(source).buffer;
    default:
      return readTypedArray(source, tag);
  }
}

function readProperties(
  source: ByteReader,
  object: Record<string, unknown>,
  depth: number,
): Record<string, unknown> {
  for (let left = source.count(2); left > 0; left--) {
    const name = readText(source);
    const value = readValue(source, depth + 1);
    if (name === '__proto__') defineProto(object, value);
    else object[name] = value;
  }
  return object;
}

/** Assignment would set the prototype instead. */
function defineProto(object: object, value: unknown): void {
  const attributes = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(object, '__proto__', attributes);
}

/** Not allocated ahead: a damaged count in each of many nested arrays would add up. */
function readArray(source: ByteReader, depth: number): unknown[] {
  const array: unknown[] = [];
  for (let left = source.count(1); left > 0; left--) array.push(readValue(source, depth + 1));
  return array;
}

function readMap(source: ByteReader, depth: number): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let left = source.count(2); left > 0; left--) {
    const key = readValue(source, depth + 1);
    map.set(key, readValue(source, depth + 1));
  }
  return map;
}

function readSet(source: ByteReader, depth: number): Set<unknown> {
  const set = new Set<unknown>();
  for (let left = source.count(1); left > 0; left--) set.add(readValue(source, depth + 1));
  return set;
}

function readTypedArray(source: ByteReader, tag: number): unknown {
  const TypedArray = typedArrayOfTag(tag) ?? source.corrupt(`${tag} is not the tag of a value`);
  const bytes = readBytes(source);
  if (bytes.length % TypedArray.BYTES_PER_ELEMENT !== 0) source.corrupt('part of an element');
  return typedArrayOfBytes(TypedArray, bytes);
}

/** A copy, so that a small array does not keep a large batch in memory. */
function readBytes(source: ByteReader): Uint8Array<ArrayBuffer> {
  const length = source.count(1);
  const start = source.advance(length);
  return new Uint8Array(source.bytes.subarray(start, start + length));
}
