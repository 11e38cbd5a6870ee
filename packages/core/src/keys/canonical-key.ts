import { ByteReader } from '../codec/byte-reader.js';
import { ByteWriter } from '../codec/byte-writer.js';
import { type Key, readKey, writeKey } from './key-codec.js';

/** A key as a JavaScript `Map` needs it: equal keys are the same value. */
export type CanonicalKey = string | number | bigint | boolean | null;

const mark = '\u0000';
const markCode = 0;
const codesPerCall = 4_096;

const scratch = new ByteWriter();

/**
 * The key as a value that a `Map` finds again. Primitives stand for themselves (a `Map` already
 * takes all NaN as one and −0 as 0; here −0 is made 0 so that it also reads back as 0). Tuples
 * and dates become U+0000 followed by their canonical bytes, one character each.
 *
 * No text can collide with them: a text that itself begins with U+0000 gets a second one in
 * front, and no canonical bytes begin with 0.
 *
 * @throws MillraceError `ERR_INVALID_KEY`
 */
export function canonicalKey(key: Key): CanonicalKey {
  if (typeof key === 'string') return key.charCodeAt(0) === markCode ? mark + key : key;
  if (typeof key === 'number') return key + 0;
  if (typeof key === 'bigint' || typeof key === 'boolean' || key === null) return key;
  scratch.reset();
  writeKey(scratch, key);
  let text = mark;
  for (let at = 0; at < scratch.length; at += codesPerCall) {
    const codes = scratch.bytes.subarray(at, Math.min(at + codesPerCall, scratch.length));
    text += String.fromCharCode.apply(null, codes as unknown as number[]);
  }
  return text;
}

/**
 * The key for which {@link canonicalKey} returned this; tuples and dates are new objects.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT` for a text that {@link canonicalKey} never returns
 */
export function keyOfCanonical(canonical: CanonicalKey): Key {
  if (typeof canonical !== 'string' || canonical.charCodeAt(0) !== markCode) return canonical;
  if (canonical.charCodeAt(1) === markCode) return canonical.slice(1);
  const reader = new ByteReader(Uint8Array.from(canonical, (c) => c.charCodeAt(0)).subarray(1));
  const key = readKey(reader);
  if (reader.remaining > 0) reader.corrupt('bytes follow the key');
  return key;
}
