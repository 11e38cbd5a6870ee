const initialCapacityBytes = 256;

/** A buffer kept between uses is given back when one outlier has made it larger than this. */
const retainedCapacityBytesMax = 1 << 20;

/**
 * A buffer that grows. `bytes` and `view` are replaced when it does, so nobody may hold on to
 * them across a call of {@link ByteWriter.ensure}.
 *
 * Fields are public because the loops that fill the buffer write to it directly.
 */
export class ByteWriter {
  bytes = new Uint8Array(initialCapacityBytes);
  view = new DataView(this.bytes.buffer);
  /** Bytes written so far. */
  length = 0;

  /** The buffer is not grown beyond this many bytes. */
  lengthMax = Number.POSITIVE_INFINITY;

  /**
   * Makes room for `count` more bytes.
   *
   * @throws RangeError if that takes more than `lengthMax` bytes
   */
  ensure(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(this.length + count);
  }

  u8(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  /** An unsigned LEB128 integer of at most 32 bits: 1 byte below 128, 5 at most. */
  varint(value: number): void {
    this.ensure(5);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** A double, little-endian. Every NaN gets the same bits. */
  float64(value: number): void {
    this.ensure(8);
    if (Number.isNaN(value)) {
      this.view.setUint32(this.length, 0, true);
      this.view.setUint32(this.length + 4, 0x7ff80000, true);
    } else {
      this.view.setFloat64(this.length, value, true);
    }
    this.length += 8;
  }

  raw(source: Uint8Array): void {
    this.ensure(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** A copy of the first `length` bytes, which the caller owns. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** Empties the buffer for the next use. */
  reset(): void {
    this.length = 0;
    if (this.bytes.length > retainedCapacityBytesMax) this.#replace(initialCapacityBytes);
  }

  #grow(needed: number): void {
    if (needed > this.lengthMax) throw new RangeError('the encoding is too long');
    const filled = this.bytes.subarray(0, this.length);
    this.#replace(Math.max(needed, this.bytes.length * 2));
    this.bytes.set(filled);
  }

  #replace(capacity: number): void {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }
}
