import { bytesOfMagnitude } from './bigint-bytes.js';
import { ByteWriter } from './byte-writer.js';
import { hasOnlyPlainProperties } from './own-properties.js';
import { recordBytesMax, recordDepthMax, recordTags, smallIntegerEnd } from './record-tags.js';
import { writeText } from './record-text.js';
import { littleEndianBytes, type RecordTypedArray, typedArrayTagOf } from './typed-arrays.js';
import { unserialisableValue } from './unserialisable.js';

/** How a {@link RecordWriter} works. */
export interface RecordWriterOptions {
  /**
   * `'checked'` also refuses what an encoding would silently lose: symbols as keys, getters,
   * properties that are not enumerable, properties on an array or a `Map`. That takes three
   * times as long as the encoding (1.1 µs instead of 0.25 µs for a payment of eight fields).
   * `'trusted'` leaves it to `checkRecord`, which looks at the first records of each edge.
   * Default `'checked'`.
   */
  readonly properties?: 'checked' | 'trusted';
}

/**
 * Encodes records one after another into one growing buffer, which is used again after
 * {@link RecordWriter.reset}. A `RecordReader` reads them in the same order.
 *
 * @example
 * const writer = new RecordWriter();
 * for (const record of batch) writer.write(record);
 * const bytes = writer.copy();
 * writer.reset();
 */
export class RecordWriter {
  readonly #out = new ByteWriter();
  readonly #checksProperties: boolean;
  /** Bytes of whole records; what a failed record left behind it is overwritten. */
  #writtenBytes = 0;

  constructor({ properties = 'checked' }: RecordWriterOptions = {}) {
    this.#checksProperties = properties === 'checked';
  }

  /** Bytes of all records since the last reset. */
  get byteLength(): number {
    return this.#writtenBytes;
  }

  /**
   * Appends one record. When it throws, the records before it are still there and intact.
   *
   * @throws MillraceError `ERR_UNSERIALISABLE_VALUE` with the path of the value as `field`
   */
  write(record: unknown): void {
    const out = this.#out;
    out.length = this.#writtenBytes;
    out.lengthMax = this.#writtenBytes + recordBytesMax;
    try {
      writeValue(out, record, 0);
      if (this.#checksProperties && !hasOnlyPlainProperties(record)) refuse();
    } catch (refusal) {
      throw unserialisableValue(record, refusal);
    }
    // The buffer may have been that large already.
    if (out.length > out.lengthMax) throw unserialisableValue(record, new RangeError());
    this.#writtenBytes = out.length;
  }

  /** The bytes of all records since the last reset; the caller owns them. */
  copy(): Uint8Array<ArrayBuffer> {
    this.#out.length = this.#writtenBytes;
    return this.#out.copy();
  }

  /** The same bytes without a copy, valid until the next call of any other method. */
  peek(): Uint8Array {
    return this.#out.bytes.subarray(0, this.#writtenBytes);
  }

  /** Forgets all records and keeps the buffer. */
  reset(): void {
    this.#writtenBytes = 0;
    this.#out.reset();
  }
}

/** A second walk finds what is refused and where, so that this one need not keep the path. */
function refuse(): never {
  throw new TypeError('not plain data');
}

function writeValue(out: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      out.u8(recordTags.string);
      writeText(out, value);
      break;
    case 'number':
      writeNumber(out, value);
      break;
    case 'object':
      if (value === null) out.u8(recordTags.null);
      else writeObject(out, value, depth);
      break;
    case 'boolean':
      out.u8(value ? recordTags.true : recordTags.false);
      break;
    case 'undefined':
      out.u8(recordTags.undefined);
      break;
    case 'bigint':
      writeBigint(out, value);
      break;
    default:
      refuse();
  }
}

function writeNumber(out: ByteWriter, value: number): void {
  const integer = value | 0;
  if (integer !== value || (integer === 0 && 1 / value < 0)) {
    out.u8(recordTags.float64);
    out.float64(value);
  } else if (integer >= 0 && integer < smallIntegerEnd) {
    out.u8(integer | smallIntegerEnd);
  } else {
    out.u8(recordTags.int32);
    out.varint(((integer << 1) ^ (integer >> 31)) >>> 0);
  }
}

function writeBigint(out: ByteWriter, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    out.u8(recordTags.bigint64);
    out.ensure(8);
    out.view.setBigInt64(out.length, value, true);
    out.length += 8;
    return;
  }
  out.u8(value < 0n ? recordTags.bigNegative : recordTags.bigPositive);
  writeBytes(out, bytesOfMagnitude(value < 0n ? -value : value));
}

function writeBytes(out: ByteWriter, bytes: Uint8Array): void {
  out.varint(bytes.length);
  out.raw(bytes);
}

function writeObject(out: ByteWriter, value: object, depth: number): void {
  if (depth === recordDepthMax) refuse();
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    out.u8(recordTags.object);
    writeProperties(out, value, depth);
  } else if (prototype === Array.prototype) {
    writeArray(out, value, depth);
  } else if (prototype === null) {
    out.u8(recordTags.nullPrototypeObject);
    writeProperties(out, value, depth);
  } else {
    writeBuiltIn(out, value, prototype, depth);
  }
}

function writeProperties(out: ByteWriter, value: object, depth: number): void {
  const object = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(object);
  out.varint(names.length);
  for (const name of names) {
    writeText(out, name);
    writeValue(out, object[name], depth + 1);
  }
}

function writeArray(out: ByteWriter, value: object, depth: number): void {
  if (!Array.isArray(value)) refuse();
  const array: readonly unknown[] = value;
  out.u8(recordTags.array);
  out.varint(array.length);
  for (let index = 0; index < array.length; index++) {
    const element = array[index];
    if (element === undefined && !Object.hasOwn(array, index)) refuse();
    writeValue(out, element, depth + 1);
  }
}

/** The methods of the built-ins throw when called on what only inherits from their prototype. */
function writeBuiltIn(out: ByteWriter, value: object, prototype: unknown, depth: number): void {
  switch (prototype) {
    case Date.prototype:
      out.u8(recordTags.date);
      out.float64((value as Date).getTime());
      break;
    case Map.prototype:
      writeMap(out, value as ReadonlyMap<unknown, unknown>, depth);
      break;
    case Set.prototype:
      writeSet(out, value as ReadonlySet<unknown>, depth);
      break;
    case ArrayBuffer.prototype:
      out.u8(recordTags.arrayBuffer);
      writeBytes(out, new Uint8Array(value as ArrayBuffer, 0, (value as ArrayBuffer).byteLength));
      break;
    default:
      out.u8(typedArrayTagOf(prototype) ?? refuse());
      writeBytes(out, littleEndianBytes(value as RecordTypedArray));
  }
}

function writeMap(out: ByteWriter, map: ReadonlyMap<unknown, unknown>, depth: number): void {
  out.u8(recordTags.map);
  out.varint(map.size);
  for (const [key, value] of map) {
    writeValue(out, key, depth + 1);
    writeValue(out, value, depth + 1);
  }
}

function writeSet(out: ByteWriter, set: ReadonlySet<unknown>, depth: number): void {
  out.u8(recordTags.set);
  out.varint(set.size);
  for (const value of set) writeValue(out, value, depth + 1);
}
