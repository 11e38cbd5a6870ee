import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';

const shortTextUnitsMax = 24;
const codeUnitsPerCall = 4_096;

/**
 * Appends a text: varint of (length in code units × 2, + 1 if wide), then one byte for each code
 * unit, or two if wide (little-endian). Code units are kept as they are, so lone surrogates are
 * exact, and every byte sequence is a text. V8 stores strings in these two forms too.
 */
export function writeText(writer: ByteWriter, text: string): void {
  const length = text.length;
  const start = writer.length;
  // Longer than 2^31 units is impossible in V8, so that the varint holds length and flag.
  writer.varint(length * 2);
  writer.ensure(length);
  const bytes = writer.bytes;
  const base = writer.length;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0xff) {
      writer.length = start;
      writeWideText(writer, text);
      return;
    }
    bytes[base + index] = unit;
  }
  writer.length = base + length;
}

function writeWideText(writer: ByteWriter, text: string): void {
  writer.varint(text.length * 2 + 1);
  writer.ensure(text.length * 2);
  const bytes = writer.bytes;
  let at = writer.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes[at++] = unit & 0xff;
    bytes[at++] = unit >> 8;
  }
  writer.length = at;
}

/**
 * Reads what {@link writeText} wrote.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT` if the text is longer than the bytes
 */
export function readText(reader: ByteReader): string {
  const header = reader.varint();
  const length = header >>> 1;
  const wide = (header & 1) === 1;
  const start = reader.advance(wide ? length * 2 : length);
  if (wide) return wideText(reader.bytes, start, length);
  return length <= shortTextUnitsMax
    ? shortText(reader.bytes, start, length)
    : longText(reader.bytes, start, length);
}

/** Appending is faster than a call with many arguments up to about this length. */
function shortText(bytes: Uint8Array, start: number, length: number): string {
  let text = '';
  for (let at = start; at < start + length; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

function longText(bytes: Uint8Array, start: number, length: number): string {
  let text = '';
  for (let done = 0; done < length; done += codeUnitsPerCall) {
    const end = start + Math.min(done + codeUnitsPerCall, length);
    text += textOfUnits(bytes.subarray(start + done, end));
  }
  return text;
}

function wideText(bytes: Uint8Array, start: number, length: number): string {
  const units = new Uint16Array(Math.min(length, codeUnitsPerCall));
  let text = '';
  for (let done = 0; done < length; done += units.length) {
    const count = Math.min(units.length, length - done);
    for (let index = 0; index < count; index++) {
      const at = start + (done + index) * 2;
      units[index] = bytes[at]! | (bytes[at + 1]! << 8);
    }
    text += textOfUnits(units.subarray(0, count));
  }
  return text;
}

/** `apply` takes any array-like; its type says only arrays. */
function textOfUnits(units: Uint8Array | Uint16Array): string {
  return String.fromCharCode.apply(null, units as unknown as number[]);
}
