import { MillraceError } from '@millrace/core';
import { canonicalKey, coreLimits } from '@millrace/core/internal';
import {
  type FailureDetail,
  type Key,
  type KeyTable,
  type OperatorContext,
  type Outputs,
  type Progress,
  type RecordBatch,
  RecordFailure,
} from '@millrace/core/spi';
import { endedFirst } from '../ended-first.js';
import { iteratorOf } from '../iterator-of.js';
import type { TimeWindow } from './assigner.js';
import type { Fold } from './fold.js';
import { cellsAt, resultOf } from './fold-plain.js';
import type { RowCode } from './row-code.js';
import type { Pane } from './window.js';

/** Rows of one window that are to be emitted. */
export interface WindowRows {
  readonly rows: KeyTable;
  readonly window: TimeWindow;
  readonly pane: Pane;
  /** The slots `from ≤ slot < to`. */
  readonly from: number;
  readonly to: number;
}

/** Emits results of windows in steps, as the outputs have room. */
export class Firing {
  private readonly position = { slot: 0 };
  private current: WindowRows | undefined;
  /** Results of the row at hand, for functions that make any number of them. */
  private results: Iterator<unknown> | undefined;
  private resultsKey: Key = '';
  private readonly fold: Fold;
  private readonly code: RowCode;
  private readonly operatorId: string;
  private readonly goesOn: boolean;

  constructor(
    fold: Fold,
    code: RowCode,
    { operatorId, policy }: Pick<OperatorContext, 'operatorId' | 'policy'>,
  ) {
    this.fold = fold;
    this.code = code;
    this.operatorId = operatorId;
    this.goesOn = policy.action !== 'fail';
  }

  start(rows: WindowRows): void {
    this.current = rows;
    this.position.slot = rows.from;
    this.results = undefined;
  }

  /** Goes on until the rows are done or the output is full. */
  resume(out: Outputs): Progress {
    return this.emit(out.main, coreLimits.batchRecordsMax) ? 'done' : 'more';
  }

  /**
   * Goes on until the rows are done; for the few rows that one record may cause. What the author's
   * function throws is that record's failure: its loop knows which one it is.
   */
  finish(out: Outputs): void {
    const rowsMax = coreLimits.recordOutputRowsMax;
    try {
      if (this.emit(out.main, out.main.count + rowsMax)) return;
      throw new MillraceError('ERR_OUTPUT_LIMIT', `a late pane gave more than ${rowsMax} rows`);
    } catch (error) {
      throw error instanceof RecordFailure ? error.cause : error;
    } finally {
      this.current = undefined;
      this.results = undefined;
    }
  }

  /** The row that failed last is to be emitted again. */
  stepBack(): void {
    this.position.slot -= 1;
  }

  private emit(out: RecordBatch, rowsMax: number): boolean {
    if (this.current === undefined) return true;
    try {
      if (this.fold.expand === undefined) this.emitRows(this.current, out, rowsMax);
      else this.emitExpanded(this.current, out, rowsMax);
    } catch (error) {
      // Results are only taken in steps once there are more than may wait.
      const hasGiven = this.results !== undefined;
      this.results = undefined;
      const { rows, window } = this.current;
      const detail = { ...detailOf(rows.keyAt(this.position.slot - 1), window), hasGiven };
      throw new RecordFailure(-1, this.operatorId, error, detail);
    }
    if (this.results !== undefined || this.position.slot < this.current.to) return false;
    this.current = undefined;
    return true;
  }

  private emitRows(current: WindowRows, out: RecordBatch, rowsMax: number): void {
    const { rows, window, pane, to } = current;
    this.code.emit(rows, this.position, to, out, rowsMax, window, pane);
  }

  private emitExpanded(current: WindowRows, out: RecordBatch, rowsMax: number): void {
    const { window, pane, to } = current;
    for (;;) {
      while (this.results !== undefined) {
        if (out.count >= rowsMax) return;
        const next = this.results.next();
        if (next.done === true) this.results = undefined;
        else {
          const result = { ...(next.value as object), key: this.resultsKey, window, pane };
          out.emit(result, window.end - 1);
        }
      }
      if (this.position.slot >= to) return;
      this.expandRow(current);
    }
  }

  private expandRow({ rows, window, pane }: WindowRows): void {
    const slot = this.position.slot;
    this.position.slot = slot + 1;
    if (!rows.isLive(slot)) return;
    this.resultsKey = rows.keyAt(slot);
    const info = { key: this.resultsKey, window, pane };
    const folded = resultOf(this.fold, cellsAt(rows, slot), info);
    const results = this.fold.expand!(folded, info as never);
    this.results = this.goesOn ? endedFirst(results) : iteratorOf(results);
  }
}

/** Of a key's window that fails as it fires. */
export const detailOf = (key: Key, { end }: TimeWindow): FailureDetail => ({
  timestamp: end - 1,
  of: canonicalKey(key),
  key,
});
