import { MillraceError } from '../errors/millrace-error.js';

/**
 * Reads bytes that may be damaged: every read is checked against what is left, before anything
 * is allocated.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT` from every method, with the offset in its detail
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the next read begins, in bytes from the start of `bytes`. */
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** Moves over `count` bytes and returns where they began. */
  advance(count: number): number {
    const start = this.offset;
    if (count > this.bytes.length - start) this.corrupt(`${count} bytes expected`);
    this.offset = start + count;
    return start;
  }

  u8(): number {
    const offset = this.offset;
    if (offset >= this.bytes.length) this.corrupt('one more byte expected');
    this.offset = offset + 1;
    return this.bytes[offset]!;
  }

  u32(): number {
    return this.view.getUint32(this.advance(4));
  }

  /** What `ByteWriter.varint` wrote: 0 to 2^32 − 1. */
  varint(): number {
    let value = this.u8();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const next = this.u8();
      if (shift === 28 && next > 0x0f) break;
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return value >>> 0;
    }
    return this.corrupt('an integer is longer than 32 bits');
  }

  /** A count of things that take at least `bytesEach` bytes, so a false one cannot allocate. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.remaining) this.corrupt(`a count of ${count} is too large`);
    return count;
  }

  float64(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  corrupt(reason: string): never {
    throw new MillraceError(
      'ERR_CODEC_CORRUPT',
      `${reason} at byte ${this.offset} of ${this.bytes.length}`,
    );
  }
}
