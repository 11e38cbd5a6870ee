import { ByteWriter, writeKey } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import { type BlobColumn, blockRowsMax } from './segment/block.js';
import { type TextKeys, textKeyBytesMax } from './text-keys.js';

const bytesInitial = 1_024;
/** A bucket of more bytes, which a few long keys have made, is not kept. */
const bytesKeptMax = 64 * 1_024;

const scratch = new ByteWriter();
const nothing = new Uint8Array(0);

/** Canonical bytes of the keys of rows in buckets. */
export class KeyBuckets {
  private readonly rowsMax: number;
  /** The bytes of each bucket's keys, one behind the other; with room for a text. */
  private readonly bytes: Uint8Array[];
  /** Where the keys of row `i` of bucket `b` end, at `b * rowsMax + i`. */
  private readonly ends: Uint32Array;
  /** Where the last key of each bucket ends. */
  private readonly lengths: Uint32Array;

  constructor(buckets: number, rowsMax: number) {
    this.rowsMax = rowsMax;
    this.bytes = new Array(buckets).fill(nothing);
    this.ends = new Uint32Array(buckets * rowsMax);
    this.lengths = new Uint32Array(buckets);
  }

  /** Puts the text of a slot behind a bucket's keys, as that of row `row`. */
  putText(bucket: number, row: number, texts: TextKeys, slot: number): void {
    const from = this.lengths[bucket]!;
    if (from + textKeyBytesMax > this.bytes[bucket]!.length) this.grow(bucket, textKeyBytesMax);
    const end = texts.copy(slot, this.bytes[bucket]!, from);
    this.lengths[bucket] = end;
    this.ends[bucket * this.rowsMax + row] = end;
  }

  /** Puts any key behind a bucket's keys. */
  put(bucket: number, row: number, key: Key): void {
    scratch.reset();
    writeKey(scratch, key);
    const from = this.lengths[bucket]!;
    const end = from + scratch.length;
    if (end > this.bytes[bucket]!.length) this.grow(bucket, scratch.length);
    this.bytes[bucket]!.set(scratch.bytes.subarray(0, scratch.length), from);
    this.lengths[bucket] = end;
    this.ends[bucket * this.rowsMax + row] = end;
  }

  /** Moves a bucket's keys behind the first `at` ones of a column. */
  move(bucket: number, rows: number, column: BlobColumn, at: number): void {
    const from = at === 0 ? 0 : column.ends[at - 1]!;
    const bytes = this.bytes[bucket]!;
    const length = this.lengths[bucket]!;
    if (from + length > column.bytes.length) {
      const larger = new Uint8Array(Math.max(from + length, column.bytes.length * 2, bytesInitial));
      larger.set(column.bytes.subarray(0, from));
      column.bytes = larger;
    }
    column.bytes.set(bytes.subarray(0, length), from);
    const first = bucket * this.rowsMax;
    for (let i = 0; i < rows; i += 1) column.ends[at + i] = from + this.ends[first + i]!;
    this.lengths[bucket] = 0;
    if (bytes.length > bytesKeptMax) this.bytes[bucket] = nothing;
  }

  /** Forgets all keys. */
  clear(): void {
    this.lengths.fill(0);
  }

  private grow(bucket: number, more: number): void {
    const old = this.bytes[bucket]!;
    const needed = this.lengths[bucket]! + more;
    const larger = new Uint8Array(Math.max(needed, old.length * 2, bytesInitial));
    larger.set(old.subarray(0, this.lengths[bucket]!));
    this.bytes[bucket] = larger;
  }
}

/** An empty column for keys of a block. */
export const newKeyColumn = (): BlobColumn => ({
  bytes: nothing,
  ends: new Uint32Array(blockRowsMax),
});
