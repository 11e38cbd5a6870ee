import type { Key } from '@millrace/core/spi';
import type { BlockSink } from './block-builder.js';
import { KeyBuckets, newKeyColumn } from './key-buckets.js';
import { type BlockColumns, blockRowsMax, type StateLayout } from './segment/block.js';
import { newBlockColumns } from './segment/block-columns.js';
import type { TextKeys } from './text-keys.js';

/** Rows in a bucket: few enough that all buckets together stay in the processor's cache. */
const bucketRows = 256;

/**
 * Rows of numbers by key group, on their way into blocks: rows come in the order in which they
 * lie in memory, and leave in blocks of one group each; what is left at the end shares blocks.
 */
export class GroupBuckets {
  /** Of each bucket the rows in it; row `i` of group `g` is at `g * 256 + i`. */
  readonly counts: Int32Array;
  readonly keys: Int32Array;
  /** Where there was another key than 32-bit integers, all of them are bytes. */
  kind: 'integers' | 'bytes' = 'integers';
  readonly numbers: readonly Float64Array[];
  readonly rowsMax = bucketRows;
  private readonly columns: BlockColumns;
  private readonly keyColumn = newKeyColumn();
  private readonly groupCount: number;
  /** Made for the first key that is no integer. */
  private keyBuckets: KeyBuckets | undefined;

  constructor(groupCount: number, numbers: number) {
    this.groupCount = groupCount;
    this.counts = new Int32Array(groupCount);
    this.keys = new Int32Array(groupCount * bucketRows);
    this.numbers = Array.from({ length: numbers }, () => new Float64Array(this.keys.length));
    this.columns = newBlockColumns({ numbers, blobs: 0 });
  }

  /** Puts a key of any kind into a group's next row. */
  putKey(group: number, key: Key): void {
    const row = this.counts[group]!;
    if (this.kind === 'integers') {
      if (typeof key === 'number' && Object.is(key | 0, key)) {
        this.keys[group * bucketRows + row] = key;
        return;
      }
      this.turnToBytes();
    }
    this.keyBuckets!.put(group, row, key);
  }

  /** Puts the text of a slot into a group's next row. */
  putText(group: number, texts: TextKeys, slot: number): void {
    if (this.kind === 'integers') this.turnToBytes();
    this.keyBuckets!.putText(group, this.counts[group]!, texts, slot);
  }

  /** Hands on a full bucket as a block. */
  flush(group: number, layout: StateLayout, namespace: readonly number[], sink: BlockSink): void {
    this.columns.count = 0;
    this.move(group, this.counts[group]!);
    this.write(layout, namespace, sink);
  }

  /** Hands on what is left in all buckets. */
  flushAll(layout: StateLayout, namespace: readonly number[], sink: BlockSink): void {
    const { columns, counts } = this;
    columns.count = 0;
    for (let group = 0; group < counts.length; group += 1) {
      if (columns.count + counts[group]! > blockRowsMax) this.write(layout, namespace, sink);
      this.move(group, counts[group]!);
    }
    this.write(layout, namespace, sink);
  }

  /** Forgets what a snapshot that was given up left behind. */
  clear(): void {
    this.counts.fill(0);
    this.keyBuckets?.clear();
  }

  /** Of a table whose keys are all integers, or not. */
  begin(kind: 'integers' | 'bytes'): void {
    this.clear();
    this.kind = 'integers';
    if (kind === 'bytes') this.turnToBytes();
  }

  private turnToBytes(): void {
    this.keyBuckets ??= new KeyBuckets(this.groupCount, bucketRows);
    this.kind = 'bytes';
    for (let group = 0; group < this.groupCount; group += 1) {
      for (let row = 0; row < this.counts[group]!; row += 1) {
        this.keyBuckets.put(group, row, this.keys[group * bucketRows + row]!);
      }
    }
  }

  private move(group: number, rows: number): void {
    const { columns, numbers, keys } = this;
    const from = group * bucketRows;
    const at = columns.count;
    columns.groups.fill(group, at, at + rows);
    if (this.kind === 'bytes') this.keyBuckets!.move(group, rows, this.keyColumn, at);
    else for (let i = 0; i < rows; i += 1) columns.keys[at + i] = keys[from + i]!;
    for (const [c, column] of numbers.entries()) {
      columns.numbers[c]!.set(column.subarray(from, from + rows), at);
    }
    columns.count = at + rows;
    this.counts[group] = 0;
  }

  private write(layout: StateLayout, namespace: readonly number[], sink: BlockSink): void {
    if (this.columns.count === 0) return;
    this.columns.keyBytes = this.kind === 'bytes' ? this.keyColumn : undefined;
    sink.add(sink.layout(layout), 'rows', namespace, this.columns);
    this.columns.count = 0;
  }
}
