import type { Key } from '@millrace/core';
import { outsideCall } from '@millrace/core/internal';
import type { CellColumn, CellColumnParts } from './cell-column.js';
import { KeyIndex } from './key-index.js';

/** A row without its key's look-up done. */
const unknown = -2;
const none = -1;

/**
 * A row of cells for each key, so that everything about a record's key is found by one look-up:
 * its states and its timers. A key whose cells are all empty has no row.
 */
export class KeyRows {
  /** Undefined between calls. */
  private key: Key | undefined = '';
  /** Of the key's row. */
  private slot = unknown;
  private readonly operator: string;
  private readonly index = new KeyIndex();
  private readonly columns: CellColumn[] = [];
  private dueKey: Key | undefined;
  private dueSlot = unknown;
  /** The first column whose cell in the row being swept has not been looked at to its end. */
  private sweepColumn = 0;

  constructor(operator: string) {
    this.operator = operator;
  }

  /** Keys that have a row. */
  get size(): number {
    return this.index.size;
  }

  /** Slots in use, and free ones between them. */
  get high(): number {
    return this.index.high;
  }

  get bytes(): number {
    return this.index.bytes;
  }

  get currentKey(): Key {
    return this.key!;
  }

  /** The key that `read` and `write` are about from now on. */
  setKey(key: Key): void {
    this.key = key;
    this.slot = key === this.dueKey ? this.dueSlot : unknown;
    this.dueKey = undefined;
  }

  /** No key is at hand: `read` and `write` are refused until there is one. */
  leaveKey(): void {
    this.key = undefined;
    this.slot = unknown;
  }

  /** Says which row the next key will be that of, so that it need not be looked for. */
  expect(key: Key, slot: number): void {
    this.dueKey = key;
    this.dueSlot = this.index.isLive(slot) ? slot : unknown;
  }

  /** Adds the column that `create` makes. */
  addColumn(
    create: (rows: Pick<CellColumnParts, 'keyAt' | 'slotOf' | 'emptied'>) => CellColumn,
  ): number {
    const column = create({
      keyAt: (slot) => this.index.keyAt(slot),
      slotOf: (key) => {
        const slot = this.index.find(key);
        return slot < 0 ? this.index.insert(key) : slot;
      },
      emptied: (slot) => {
        if (this.index.isLive(slot)) this.removeEmpty(slot);
      },
    });
    return this.columns.push(column) - 1;
  }

  /** The current key's cell; undefined when it is empty. */
  read(column: number): unknown {
    const slot = this.find();
    return slot < 0 ? undefined : this.columns[column]!.cells[slot];
  }

  /** Fills the current key's cell, or empties it with undefined. Returns the slot of its row. */
  write(column: number, value: unknown): number {
    let slot = this.find();
    if (slot < 0) {
      if (value === undefined) return none;
      slot = this.index.insert(this.key!);
      this.slot = slot;
    }
    this.columns[column]!.put(slot, value);
    if (value === undefined) this.removeEmpty(slot);
    return slot;
  }

  /** What is in the current key's filled cell is about to be changed in place. */
  touch(column: number): void {
    const slot = this.find();
    if (slot >= 0) this.columns[column]!.touch(slot);
  }

  /** What is in the current key's filled cell has changed by some entries. */
  weigh(column: number, difference: number): void {
    this.columns[column]!.weigh(difference);
  }

  keyAt(slot: number): Key {
    return this.index.keyAt(slot);
  }

  isLive(slot: number): boolean {
    return this.index.isLive(slot);
  }

  /** A cell of a row that there is. */
  readAt(column: number, slot: number): unknown {
    return this.columns[column]!.cells[slot];
  }

  touchAt(column: number, slot: number): void {
    this.columns[column]!.touch(slot);
  }

  /** Empties a cell of a row that there is; with it goes the row when nothing else is in it. */
  clearAt(column: number, slot: number): void {
    this.columns[column]!.put(slot, undefined);
    this.removeEmpty(slot);
  }

  /**
   * Removes some of what has expired in a row; false: not all has been looked at, and the next call
   * is to be for the same row.
   */
  sweepAt(slot: number): boolean {
    const { columns, index } = this;
    // Cell by cell: large ones, each in a round of its own, would hardly ever be done together.
    for (; index.isLive(slot) && this.sweepColumn < columns.length; this.sweepColumn += 1) {
      if (!columns[this.sweepColumn]!.sweep(slot)) return false;
    }
    this.sweepColumn = 0;
    if (index.isLive(slot)) this.removeEmpty(slot);
    return true;
  }

  private find(): number {
    if (this.slot === unknown) {
      if (this.key === undefined) throw outsideCall(this.operator, 'the state or timer of a key');
      this.slot = this.index.find(this.key);
    }
    return this.slot;
  }

  private removeEmpty(slot: number): void {
    for (const { cells } of this.columns) if (cells[slot] !== undefined) return;
    this.index.remove(slot);
    if (slot === this.slot) this.slot = none;
  }
}
