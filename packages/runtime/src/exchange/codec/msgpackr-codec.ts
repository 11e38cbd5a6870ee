import {
  ByteReader,
  ByteWriter,
  encodeRecord,
  hasOnlyPlainProperties,
} from '@millrace/core/internal';
import { isPackable, readPacked, writePacked } from './packed-block.js';

const out = new ByteWriter();

/**
 * The bytes of one record, by msgpackr where that returns the record as it was, and else by core's
 * codec.
 *
 * @throws MillraceError `ERR_UNSERIALISABLE_VALUE` with the path of the value as `field`
 */
export function packRecord(record: unknown): Uint8Array<ArrayBuffer> {
  // Refuses what loses something by any encoding; otherwise it is encoded again, escaped.
  if (!isPackable(record) || !hasOnlyPlainProperties(record)) encodeRecord(record);
  out.reset();
  writePacked(out, [record], 1);
  return out.copy();
}

/**
 * The record that {@link packRecord} packed, as a new value.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT`
 */
export function unpackRecord(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  const [record] = readPacked(reader, 1);
  if (reader.remaining > 0) reader.corrupt('bytes follow the record');
  return record;
}
