import type { KeyRows } from './key-rows.js';
import type { UndoLog } from './undo-log.js';

/** One state's cell of the current key. */
export class StateCell {
  private readonly rows: KeyRows;
  private readonly column: number;
  private readonly undo: UndoLog;

  constructor(rows: KeyRows, column: number, undo: UndoLog) {
    this.rows = rows;
    this.column = column;
    this.undo = undo;
  }

  get(): unknown {
    return this.rows.read(this.column);
  }

  /** Undefined clears it. */
  set(value: unknown): void {
    if (this.undo.isOn) this.rememberBefore();
    this.rows.write(this.column, value);
  }

  /** What is in the filled cell is about to be changed in place, by the state or by its author. */
  touch(): void {
    this.rows.touch(this.column);
  }

  /** Whether changes in place are to be said how to undo: ask before making a function for it. */
  get isUndoable(): boolean {
    return this.undo.isOn;
  }

  onUndo(undo: () => void): void {
    this.undo.push(undo);
  }

  /** What is in the filled cell has become more, or less, by some entries. */
  weigh(difference: number): void {
    this.rows.weigh(this.column, difference);
  }

  private rememberBefore(): void {
    const { rows, column } = this;
    const key = rows.currentKey;
    const before = rows.read(column);
    this.undo.push(() => {
      rows.setKey(key);
      rows.write(column, before);
    });
  }
}
