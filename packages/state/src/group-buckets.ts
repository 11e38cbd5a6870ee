import type { Key } from '@millrace/core/spi';
import type { BlockSink } from './block-builder.js';
import { type BlockColumns, blockRowsMax, type StateLayout } from './segment/block.js';
import { newBlockColumns } from './segment/block-columns.js';

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
  /** Where there was another key than 32-bit integers, all of them are in `anyKeys`. */
  kind: 'integers' | 'any' = 'integers';
  readonly numbers: readonly Float64Array[];
  readonly rowsMax = bucketRows;
  private readonly columns: BlockColumns;
  private anyKeys: Key[] = [];

  constructor(groupCount: number, numbers: number) {
    this.counts = new Int32Array(groupCount);
    this.keys = new Int32Array(groupCount * bucketRows);
    this.numbers = Array.from({ length: numbers }, () => new Float64Array(this.keys.length));
    this.columns = newBlockColumns({ numbers, blobs: 0 });
  }

  /** Puts a key of any kind into a row. */
  putKey(at: number, key: Key): void {
    if (this.kind === 'integers') {
      if (typeof key === 'number' && Object.is(key | 0, key)) {
        this.keys[at] = key;
        return;
      }
      this.kind = 'any';
      this.anyKeys = Array.from(this.keys);
    }
    this.anyKeys[at] = key;
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
  }

  /** Of a table whose keys are all integers, or not. */
  begin(kind: 'integers' | 'any'): void {
    this.clear();
    if (kind === this.kind) return;
    this.kind = kind;
    this.anyKeys = kind === 'any' ? Array.from(this.keys) : [];
  }

  private move(group: number, rows: number): void {
    const { columns, numbers } = this;
    const keys = this.kind === 'integers' ? this.keys : this.anyKeys;
    const from = group * bucketRows;
    const at = columns.count;
    columns.groups.fill(group, at, at + rows);
    for (let i = 0; i < rows; i += 1) columns.keys[at + i] = keys[from + i]!;
    for (const [c, column] of numbers.entries()) {
      columns.numbers[c]!.set(column.subarray(from, from + rows), at);
    }
    columns.count = at + rows;
    this.counts[group] = 0;
  }

  private write(layout: StateLayout, namespace: readonly number[], sink: BlockSink): void {
    if (this.columns.count === 0) return;
    sink.add(sink.layout(layout), 'rows', namespace, this.columns);
    this.columns.count = 0;
  }
}
