import type { ByteReader } from '../codec/byte-reader.js';
import type { ByteWriter } from '../codec/byte-writer.js';

const nul = 0x00;
const escaped = 0xff;
const codeUnitsPerCall = 4_096;

/**
 * Appends a string as WTF-8 that ends with a zero byte; U+0000 is written `00 FF`.
 *
 * WTF-8 is UTF-8 that also encodes surrogates without a partner, as three bytes: two different
 * strings never have the same bytes. Bytes compare as code points do, also for a string that is a
 * prefix of another, whatever follows that does not begin with `FF` (the escape, and the rule, are
 * those of FoundationDB's tuple layer).
 */
export function writeWtf8(writer: ByteWriter, text: string): void {
  const length = text.length;
  writer.ensure(length * 3 + 1);
  const bytes = writer.bytes;
  let at = writer.length;
  for (let index = 0; index < length; index++) {
    let point = text.charCodeAt(index);
    if (point < 0x80) {
      bytes[at++] = point;
      if (point === nul) bytes[at++] = escaped;
      continue;
    }
    if (point >= 0xd800 && point < 0xdc00) {
      point = text.codePointAt(index)!;
      if (point > 0xffff) index++;
    }
    at = writeCodePoint(bytes, at, point);
  }
  bytes[at++] = nul;
  writer.length = at;
}

function writeCodePoint(bytes: Uint8Array, offset: number, point: number): number {
  let at = offset;
  if (point < 0x800) {
    bytes[at++] = 0xc0 | (point >> 6);
  } else {
    if (point < 0x10000) {
      bytes[at++] = 0xe0 | (point >> 12);
    } else {
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
    }
    bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
  }
  bytes[at++] = 0x80 | (point & 0x3f);
  return at;
}

/**
 * Reads what {@link writeWtf8} wrote, to and including the zero byte.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT` for anything that {@link writeWtf8} cannot write, so
 *   that a string has one encoding only
 */
export function readWtf8(reader: ByteReader): string {
  let text = '';
  const units: number[] = [];
  let before = 0;
  for (;;) {
    const lead = reader.u8();
    if (lead === nul) {
      if (reader.remaining === 0 || reader.bytes[reader.offset] !== escaped) break;
      reader.offset++;
    }
    const point = lead < 0x80 ? lead : readMultiByte(reader, lead);
    if (isLowSurrogate(point) && isHighSurrogate(before)) {
      reader.corrupt('a pair of surrogates is written as two characters');
    }
    if (point > 0xffff) units.push(0xd800 + ((point - 0x10000) >> 10));
    before = point > 0xffff ? 0xdc00 + ((point - 0x10000) & 0x3ff) : point;
    units.push(before);
    if (units.length >= codeUnitsPerCall) {
      text += String.fromCharCode(...units);
      units.length = 0;
    }
  }
  return text + String.fromCharCode(...units);
}

function isLowSurrogate(point: number): boolean {
  return point >= 0xdc00 && point < 0xe000;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function readMultiByte(reader: ByteReader, lead: number): number {
  const [extra, bits, smallest] =
    lead >= 0xf0
      ? [3, lead & 0x0f, 0x10000]
      : lead >= 0xe0
        ? [2, lead & 0x0f, 0x800]
        : [1, lead & 0x1f, 0x80];
  if (lead < 0xc0 || lead > 0xf4) reader.corrupt('a character begins with an impossible byte');
  let point = bits;
  for (let index = 0; index < extra; index++) {
    const next = reader.u8();
    if ((next & 0xc0) !== 0x80) reader.corrupt('a character is cut short');
    point = (point << 6) | (next & 0x3f);
  }
  if (point < smallest || point > 0x10ffff) reader.corrupt('a character is out of range');
  return point;
}
