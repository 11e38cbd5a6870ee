import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';

/** One buffer for all calls: a new one would cost more than the encoding of a small record. */
const scratch = new RecordWriter();

/**
 * The bytes of one record. Records are plain data: objects without a class, arrays, `Map`,
 * `Set`, `Date`, typed arrays, `ArrayBuffer` and primitives, where −0, NaN, lone surrogates, a
 * property named `__proto__` and the difference between `undefined` and absence are all kept. An
 * object that occurs twice is written twice.
 *
 * @throws MillraceError `ERR_UNSERIALISABLE_VALUE` with the path of the value as `field`
 *
 * @example
 * decodeRecord(encodeRecord({ at: new Date(0), tags: new Set(['a']) }))
 */
export function encodeRecord(record: unknown): Uint8Array<ArrayBuffer> {
  scratch.reset();
  scratch.write(record);
  return scratch.copy();
}

/**
 * The record that {@link encodeRecord} encoded, as a new value.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT` if the bytes are damaged or more than one record
 */
export function decodeRecord(bytes: Uint8Array): unknown {
  const reader = new RecordReader(bytes);
  const record = reader.read();
  reader.assertDone();
  return record;
}
