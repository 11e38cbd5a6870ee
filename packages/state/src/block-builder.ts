import type { Key } from '@millrace/core/spi';
import { stateLimits } from './limits.js';
import {
  type BlobColumn,
  type BlockColumns,
  type BlockKind,
  blockRowsMax,
  type StateLayout,
} from './segment/block.js';
import { newBlockColumns } from './segment/block-columns.js';

/** Takes blocks; a segment writer does. */
export interface BlockSink {
  /** The index of a layout; the same one for the same layout. */
  layout(layout: StateLayout): number;
  add(
    layout: number,
    kind: Exclude<BlockKind, 'drop'>,
    namespace: readonly number[],
    columns: BlockColumns,
  ): void;
  /** All rows of the layout's state in the namespace are gone. */
  drop(layout: number, namespace: readonly number[]): void;
}

const blobBytesInitial = 4_096;

/** Appends to the row being filled; columns are filled from the first to the last. */
function appendBlob(column: BlobColumn, row: number, bytes: Uint8Array): void {
  const from = row === 0 ? 0 : column.ends[row - 1]!;
  const end = from + bytes.length;
  if (end > column.bytes.length) {
    const larger = new Uint8Array(Math.max(end, column.bytes.length * 2, blobBytesInitial));
    larger.set(column.bytes.subarray(0, from));
    column.bytes = larger;
  }
  column.bytes.set(bytes, from);
  column.ends[row] = end;
}

/** The bytes of a row; a view that lasts as long as the columns do. */
export function blobAt({ bytes, ends }: BlobColumn, row: number): Uint8Array {
  return bytes.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row]!);
}

/** Fills blocks of one kind row by row and hands them on when they are full. */
export class BlockBuilder {
  readonly columns: BlockColumns;
  /** Bytes of all blobs so far, also of blocks that were handed on. */
  blobBytes = 0;
  private handedOnBytes = 0;
  private readonly layout: StateLayout;
  private readonly kind: Exclude<BlockKind, 'drop'>;

  constructor(layout: StateLayout, kind: Exclude<BlockKind, 'drop'>) {
    this.layout = layout;
    this.kind = kind;
    const isWhole = kind === 'rows';
    this.columns = newBlockColumns({
      numbers: isWhole ? layout.numbers : kind === 'removals' ? layout.identityNumbers : 0,
      blobs: isWhole ? layout.blobs : kind === 'removals' ? layout.identityBlobs : 0,
    });
  }

  get isFull(): boolean {
    const bytes = this.blobBytes - this.handedOnBytes;
    return this.columns.count === blockRowsMax || bytes >= stateLimits.blockBlobBytes;
  }

  /** Begins a row and returns its index; groups come in rising order within a block. */
  row(group: number, key: Key): number {
    const { columns } = this;
    const at = columns.count;
    columns.groups[at] = group;
    columns.keys[at] = key;
    columns.count = at + 1;
    return at;
  }

  number(row: number, column: number, value: number): void {
    this.columns.numbers[column]![row] = value;
  }

  blob(row: number, column: number, bytes: Uint8Array): void {
    appendBlob(this.columns.blobs[column]!, row, bytes);
    this.blobBytes += bytes.length;
  }

  /** Hands on what there is. */
  flush(sink: BlockSink, namespace: readonly number[]): void {
    if (this.columns.count === 0) return;
    sink.add(sink.layout(this.layout), this.kind, namespace, this.columns);
    this.columns.count = 0;
    this.handedOnBytes = this.blobBytes;
  }
}
