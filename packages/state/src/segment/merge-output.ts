import { ByteWriter } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import { stateLimits } from '../limits.js';
import { type BlockColumns, type BlockKind, blockRowsMax, type StateLayout } from './block.js';
import { blobsOf, numbersOf } from './block-body.js';
import { newBlockColumns } from './block-columns.js';
import type { MergedRow, MergeRows } from './merge-rows.js';
import type { SegmentWriter } from './segment-writer.js';

/** A block that is being filled. */
interface OpenBlock {
  readonly columns: BlockColumns;
  readonly layout: number;
  readonly kind: BlockKind;
  readonly numbers: number;
  /** The bytes of each blob column. */
  readonly blobs: readonly ByteWriter[];
  bytes: number;
}

/** Puts merged rows into blocks of their layout and kind, and full blocks into the segment. */
export class MergeOutput {
  private readonly writer: SegmentWriter;
  /** By kind and layout in the writer. */
  private readonly open = new Map<string, OpenBlock>();
  /** The same, by the layouts of the inputs. */
  private readonly known: Readonly<Record<BlockKind, Map<StateLayout, OpenBlock>>> = {
    rows: new Map(),
    removals: new Map(),
    keyRemovals: new Map(),
    drop: new Map(),
  };
  private namespace: readonly number[] = [];

  constructor(writer: SegmentWriter) {
    this.writer = writer;
  }

  /** Closes the blocks of the namespace before. */
  begin(namespace: readonly number[]): void {
    this.flush();
    this.namespace = namespace;
  }

  drop(layout: StateLayout): void {
    this.writer.add(this.writer.layout(layout), 'drop', this.namespace);
  }

  removeKey(layout: StateLayout, key: Key, group: number): void {
    const block = this.blockFor(layout, 'keyRemovals');
    this.addKey(block, key, group);
  }

  add({ layout, kind, row, key, group }: MergedRow, rows: MergeRows): void {
    const block = this.blockFor(layout, kind);
    const { columns, numbers, blobs } = block;
    const at = columns.count;
    const numbersFrom = rows.numbersFrom[row]!;
    for (let column = 0; column < numbers; column += 1) {
      columns.numbers[column]![at] = rows.numbers[numbersFrom + column]!;
    }
    const blobsFrom = rows.blobsFrom[row]!;
    for (let column = 0; column < blobs.length; column += 1) {
      const start = rows.blobStarts[blobsFrom + column]!;
      const end = rows.blobStarts[blobsFrom + column + 1]!;
      blobs[column]!.raw(rows.bytes.bytes.subarray(start, end));
      columns.blobs[column]!.ends[at] = blobs[column]!.length;
      block.bytes += end - start;
    }
    this.addKey(block, key, group);
  }

  /** Closes all blocks: what is added later acts after what was added before. */
  flush(): void {
    for (const block of this.open.values()) this.close(block);
  }

  private addKey(block: OpenBlock, key: Key, group: number): void {
    const { columns } = block;
    columns.keys[columns.count] = key;
    columns.groups[columns.count] = group;
    columns.count += 1;
    const isFull = columns.count === blockRowsMax || block.bytes >= stateLimits.blockBlobBytes;
    if (isFull) this.close(block);
  }

  private blockFor(layout: StateLayout, kind: BlockKind): OpenBlock {
    let block = this.known[kind].get(layout);
    if (block === undefined) {
      const index = this.writer.layout(layout);
      const id = `${kind} ${index}`;
      block = this.open.get(id) ?? newBlock(layout, index, kind);
      this.open.set(id, block);
      this.known[kind].set(layout, block);
    }
    return block;
  }

  private close(block: OpenBlock): void {
    const { columns, blobs } = block;
    if (columns.count === 0) return;
    blobs.forEach((bytes, column) => {
      columns.blobs[column]!.bytes = bytes.bytes;
    });
    this.writer.add(block.layout, block.kind, this.namespace, columns);
    columns.count = 0;
    block.bytes = 0;
    for (const bytes of blobs) bytes.reset();
  }
}

function newBlock(layout: StateLayout, index: number, kind: BlockKind): OpenBlock {
  return {
    columns: newBlockColumns(layout),
    layout: index,
    kind,
    numbers: numbersOf(layout, kind),
    blobs: Array.from({ length: blobsOf(layout, kind) }, () => new ByteWriter()),
    bytes: 0,
  };
}
