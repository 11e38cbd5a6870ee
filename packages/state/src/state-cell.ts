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

  /**
   * What is in the filled cell is about to be changed in place.
   *
   * @param undo takes the change back
   */
  change(undo: () => void): void {
    this.rows.touch(this.column);
    this.undo.push(undo);
  }

  /** The same without a way back: the author may change a value given out in place. */
  mayChange(): void {
    this.rows.touch(this.column);
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
