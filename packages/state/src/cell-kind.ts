import type { Key } from '@millrace/core';
import { RecordWriter } from '@millrace/core/internal';
import { BlockBuilder, type BlockSink } from './block-builder.js';
import type { StateLayout } from './segment/block.js';
import type { StoredBlock } from './state-part.js';

/** The parts of a layout that a kind of cell decides. */
export type CellLayout = Pick<
  StateLayout,
  'kind' | 'numbers' | 'blobs' | 'identityNumbers' | 'identityBlobs'
>;

/**
 * How the cells of a state are written and read: a cell is all that one key has of the state. Its
 * rows may be many, e.g. one for each entry of a map.
 */
export interface CellKind {
  readonly layout: CellLayout;
  /** What is to be kept of a cell that is about to change while a snapshot needs it as it is. */
  keep(cell: unknown, extent: CellExtent): unknown;
  /** Writes a cell as it is. */
  write(cell: unknown, row: CellRow, extent: CellExtent): void;
  /** Writes what was kept of a cell. */
  writeKept(kept: unknown, row: CellRow): void;
  /** The cell with a row of a snapshot applied to it; undefined when nothing is left of it. */
  load(
    cell: unknown,
    block: StoredBlock,
    at: { readonly row: number; readonly slot: number },
  ): unknown;
  /** Of a cell that changed only the entries that changed are written, unless all are asked for. */
  readonly writesEntries?: true;
  /** How many entries of user values a cell has, where that is not always one. */
  weightOf?(cell: unknown): number;
  /**
   * Removes what has expired, looking at a bounded number of entries. Only where there is TTL.
   *
   * @param touch to be called ahead of a change in place
   */
  sweep?(cell: unknown, touch: () => void): SweptCell;
}

/** A cell that was looked at for what has expired. */
export interface SweptCell {
  /** The cell, the one in its place, or undefined when nothing is left. */
  readonly left: unknown;
  /** False: not all of it has been looked at. */
  readonly isDone: boolean;
}

/** All rows of a cell, or those changed since the last snapshot. */
export type CellExtent = 'all' | 'changes';

/** The key whose cell is written, and where its rows go. */
export interface CellRow {
  readonly group: number;
  readonly key: Key;
  /** No earlier snapshot has anything of this key. */
  readonly isNew: boolean;
  readonly out: CellOutput;
}

/** Blocks of a state's rows and removals; removals of a key go ahead of its rows. */
export class CellOutput {
  readonly record = new RecordWriter({ properties: 'trusted' });
  private readonly rows: BlockBuilder;
  private readonly removals: BlockBuilder;
  private readonly keyRemovals: BlockBuilder;
  private sink: BlockSink | undefined;

  constructor(layout: StateLayout) {
    this.rows = new BlockBuilder(layout, 'rows');
    this.removals = new BlockBuilder(layout, 'removals');
    this.keyRemovals = new BlockBuilder(layout, 'keyRemovals');
  }

  /** Bytes of values written so far. */
  get bytes(): number {
    return this.rows.blobBytes + this.removals.blobBytes;
  }

  writeTo(sink: BlockSink): void {
    this.sink = sink;
  }

  /** Begins a row; its columns are to be filled before the next call. */
  row({ group, key }: CellRow): { readonly block: BlockBuilder; readonly row: number } {
    if (this.rows.isFull) this.flush();
    return { block: this.rows, row: this.rows.row(group, key) };
  }

  /** Begins the removal of one row: only identity columns are filled. */
  removal({ group, key }: CellRow): { readonly block: BlockBuilder; readonly row: number } {
    if (this.removals.isFull) this.removals.flush(this.sink!, []);
    return { block: this.removals, row: this.removals.row(group, key) };
  }

  /** Removes all rows of the key that earlier snapshots have. */
  removeKey({ group, key }: CellRow): void {
    if (this.keyRemovals.isFull) this.keyRemovals.flush(this.sink!, []);
    this.keyRemovals.row(group, key);
  }

  flush(): void {
    this.keyRemovals.flush(this.sink!, []);
    this.removals.flush(this.sink!, []);
    this.rows.flush(this.sink!, []);
  }

  /** Encodes a record into a blob column of a row. */
  blob(block: BlockBuilder, row: number, column: number, value: unknown): void {
    this.record.reset();
    this.record.write(value);
    block.blob(row, column, this.record.peek());
  }
}
