import type { ByteReader, ByteWriter } from '@millrace/core/internal';

/** Methods that Node's buffers have and its types do not tell; they take any `Uint8Array`. */
interface TextMethods {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  ucs2Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, byteLength: number): number;
  ucs2Write(this: Uint8Array, text: string, offset: number, byteLength: number): number;
}

const { latin1Slice, ucs2Slice, latin1Write, ucs2Write } =
  Buffer.prototype as unknown as TextMethods;

/** Found in no time by V8 not to match where all characters are stored in one byte each. */
const wide = /[^\0-\xff]/;

/** Whether a text has characters that take more than one byte. */
export function isWide(text: string): boolean {
  return wide.test(text);
}

/** Appends the characters of a text that is not wide. */
export function writeLatin1(out: ByteWriter, text: string): void {
  const length = text.length;
  out.ensure(length);
  latin1Write.call(out.bytes, text, out.length, length);
  out.length += length;
}

/** The characters from `start` to `end`; both lie within `bytes`. */
export function latin1At(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/**
 * Appends a varint of (length in code units × 2, + 1 if wide) and the code units, one byte or two
 * each. They are kept as they are, lone surrogates too, and every byte sequence is a text.
 */
export function writeText(out: ByteWriter, text: string): void {
  const { length } = text;
  if (!isWide(text)) {
    out.varint(length * 2);
    writeLatin1(out, text);
    return;
  }
  out.varint(length * 2 + 1);
  out.ensure(length * 2);
  ucs2Write.call(out.bytes, text, out.length, length * 2);
  out.length += length * 2;
}

/** Reads what {@link writeText} wrote: a string that keeps no other memory alive. */
export function readText(reader: ByteReader): string {
  const header = reader.varint();
  const length = header >>> 1;
  if ((header & 1) === 0) {
    const start = reader.advance(length);
    return latin1At(reader.bytes, start, start + length);
  }
  const start = reader.advance(length * 2);
  return ucs2Slice.call(reader.bytes, start, start + length * 2);
}
