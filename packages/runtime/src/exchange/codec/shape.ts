import { ByteReader, ByteWriter } from '@millrace/core/internal';
import { runtimeLimits } from '../../limits.js';
import { readText, writeText } from './text-bytes.js';

const { shapePropertiesMax } = runtimeLimits;

/** Whether objects with these properties may be cut into columns. */
export function isShape(names: readonly string[]): boolean {
  // In a literal, and by assignment, `__proto__` sets the prototype.
  return names.length > 0 && names.length <= shapePropertiesMax && !names.includes('__proto__');
}

/** The bytes of a shape, which a frame holds and by which a decoder knows it again. */
export function encodeShape(names: readonly string[]): Uint8Array {
  const out = new ByteWriter();
  out.varint(names.length);
  for (const name of names) writeText(out, name);
  return out.copy();
}

/**
 * The names of the properties.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT`
 */
export function decodeShape(bytes: Uint8Array): readonly string[] {
  const reader = new ByteReader(bytes);
  const names: string[] = [];
  for (let left = reader.count(1); left > 0; left -= 1) names.push(readText(reader));
  if (!isShape(names)) reader.corrupt('not the properties of a shape');
  if (new Set(names).size < names.length) reader.corrupt('a property twice in a shape');
  if (reader.remaining > 0) reader.corrupt('bytes follow the shape');
  return names;
}

/** Whether the bytes at `start` are those of a shape. */
export function isAt(shape: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < shape.length; at += 1) {
    if (shape[at] !== bytes[start + at]) return false;
  }
  return true;
}
