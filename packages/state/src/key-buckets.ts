import { ByteWriter, writeKey } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import { type BlobColumn, blockRowsMax } from './segment/block.js';
import { type TextKeys, textKeyBytesMax } from './text-keys.js';

const bytesInitial = 1_024;
/** A bucket of more bytes, which a few long keys have made, is not kept. */
const bytesKeptMax = 64 * 1_024;

const scratch = new ByteWriter();
/** Keys begin behind it: texts are copied by words, of which the first begins one byte too early. */
const marginBytes = 1;
const nothing = new DataView(new ArrayBuffer(0));

/** Canonical bytes of the keys of rows in buckets. */
export class KeyBuckets {
  private readonly rowsMax: number;
  /** The bytes of each bucket's keys, one behind the other, behind a margin. */
  private readonly views: DataView<ArrayBuffer>[];
  /** Bytes that each bucket has room for: asking its view takes as long as copying a key. */
  private readonly capacities: Uint32Array;
  /** Where the keys of row `i` of bucket `b` end, at `b * rowsMax + i`. */
  private readonly ends: Uint32Array;
  /** Where the last key of each bucket ends. */
  private readonly lengths: Uint32Array;

  constructor(buckets: number, rowsMax: number) {
    this.rowsMax = rowsMax;
    this.views = new Array(buckets).fill(nothing);
    this.capacities = new Uint32Array(buckets);
    this.ends = new Uint32Array(buckets * rowsMax);
    this.lengths = new Uint32Array(buckets).fill(marginBytes);
  }

  /** Puts the text of a slot behind a bucket's keys, as that of row `row`. */
  putText(bucket: number, row: number, texts: TextKeys, slot: number): void {
    const from = this.lengths[bucket]!;
    if (from + textKeyBytesMax > this.capacities[bucket]!) this.grow(bucket, textKeyBytesMax);
    const end = texts.copy(slot, this.views[bucket]!, from);
    this.lengths[bucket] = end;
    this.ends[bucket * this.rowsMax + row] = end;
  }

  /** Puts any key behind a bucket's keys. */
  put(bucket: number, row: number, key: Key): void {
    scratch.reset();
    writeKey(scratch, key);
    const from = this.lengths[bucket]!;
    const end = from + scratch.length;
    if (end > this.capacities[bucket]!) this.grow(bucket, scratch.length);
    bytesOf(this.views[bucket]!).set(scratch.bytes.subarray(0, scratch.length), from);
    this.lengths[bucket] = end;
    this.ends[bucket * this.rowsMax + row] = end;
  }

  /** Moves a bucket's keys behind the first `at` ones of a column. */
  move(bucket: number, rows: number, column: BlobColumn, at: number): void {
    const from = at === 0 ? 0 : column.ends[at - 1]!;
    const view = this.views[bucket]!;
    const keys = bytesOf(view).subarray(marginBytes, this.lengths[bucket]!);
    if (from + keys.length > column.bytes.length) {
      const needed = from + keys.length;
      const larger = new Uint8Array(Math.max(needed, column.bytes.length * 2, bytesInitial));
      larger.set(column.bytes.subarray(0, from));
      column.bytes = larger;
    }
    column.bytes.set(keys, from);
    const first = bucket * this.rowsMax;
    const shift = from - marginBytes;
    for (let i = 0; i < rows; i += 1) column.ends[at + i] = shift + this.ends[first + i]!;
    this.lengths[bucket] = marginBytes;
    if (view.byteLength > bytesKeptMax) this.hold(bucket, nothing);
  }

  /** Forgets all keys. */
  clear(): void {
    this.lengths.fill(marginBytes);
  }

  private grow(bucket: number, more: number): void {
    const old = bytesOf(this.views[bucket]!);
    const needed = this.lengths[bucket]! + more;
    const larger = new Uint8Array(Math.max(needed, old.length * 2, bytesInitial));
    larger.set(old);
    this.hold(bucket, new DataView(larger.buffer));
  }

  private hold(bucket: number, view: DataView<ArrayBuffer>): void {
    this.views[bucket] = view;
    this.capacities[bucket] = view.byteLength;
  }
}

const bytesOf = ({ buffer }: DataView<ArrayBuffer>): Uint8Array => new Uint8Array(buffer);

/** An empty column for keys of a block. */
export const newKeyColumn = (): BlobColumn => ({
  bytes: new Uint8Array(0),
  ends: new Uint32Array(blockRowsMax),
});
