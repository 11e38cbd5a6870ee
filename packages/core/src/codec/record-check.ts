import { MillraceError } from '../errors/millrace-error.js';
import { freezeRecord } from './freeze-record.js';
import { decodeRecord, encodeRecord } from './record-codec.js';
import { sameRecord } from './same-record.js';

/** The part of a record codec that a check needs. */
export interface RecordCodec {
  encode(record: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/**
 * Proves that a record can be shared by reference and sent as bytes with the same result: all of
 * it is plain data, it survives `codec` (by default the
 * self-contained one), and from here on nobody can change it. Returns the
 * record itself, frozen (see {@link freezeRecord} for what cannot be).
 *
 * @throws MillraceError `ERR_UNSERIALISABLE_VALUE` with the path of the value as `field`
 */
export function checkRecord<Value>(record: Value, codec?: RecordCodec): Value {
  // Refuses what is no plain data, also where `codec` would drop it without a word.
  const bytes = encodeRecord(record);
  const decoded = codec === undefined ? decodeRecord(bytes) : codec.decode(codec.encode(record));
  if (!sameRecord(record, decoded)) {
    const field = findDifference(record, decoded, '') || 'record';
    throw new MillraceError('ERR_UNSERIALISABLE_VALUE', 'it comes back as another value', {
      field,
    });
  }
  return freezeRecord(record);
}

/** The path of the innermost property or element that differs, as far as names lead there. */
function findDifference(a: unknown, b: unknown, path: string): string {
  if (!isTree(a) || !isTree(b) || Array.isArray(a) !== Array.isArray(b)) return path;
  for (const name of Object.keys(a)) {
    if (sameRecord(a[name], b[name])) continue;
    const step = Array.isArray(a) ? `[${name}]` : path === '' ? name : `.${name}`;
    return findDifference(a[name], b[name], path + step);
  }
  return path;
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}
