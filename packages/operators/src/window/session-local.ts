import { coreLimits } from '@millrace/core/internal';
import type {
  Key,
  KeyTable,
  Operator,
  OperatorContext,
  Outputs,
  Progress,
  RecordBatch,
  RecordLoop,
} from '@millrace/core/spi';
import { type Fold, withReserved } from './fold.js';
import type { LocalLimits } from './limits.js';
import { type EmitRows, emitRowsOf, localNumbers } from './partial-output.js';
import type { PartialLayout } from './partial-rows.js';
import { Reduction } from './reduction.js';
import {
  type LocalSessions,
  localSessionCells,
  plainSessionLocalLoop,
  sessionLocalLoop,
} from './session-local-code.js';

export interface SessionLocalSpec {
  readonly gapMs: number;
  readonly fold: Fold;
  readonly limits: LocalLimits;
}

const { first, records, last } = localSessionCells;

/**
 * The local phase of session windows: one partial session a key, of records within the gap of each
 * other.
 *
 * Law: ahead of a watermark all rows that begin before it are given out, not only those that end
 * before it: a session that another subtask has begun would fire, although such a row goes on with it.
 */
export class SessionLocalPhase implements Operator, LocalSessions {
  readonly gapMs: number;
  readonly table: KeyTable;
  watermark = -Infinity;
  /** Rows that begin before then are being given out; −∞: none. */
  private givesBefore = -Infinity;
  /** The next row to look at. */
  private slot = 0;
  /** No row begins later. */
  private newestMs = -Infinity;
  /** Records in the rows; counted where accumulators may grow. */
  private records = 0;
  private readonly reduction: Reduction;
  private readonly fold: Fold;
  private readonly layout: PartialLayout;
  private readonly emitRows: EmitRows;
  private add: Operator['processBatch'] | undefined;
  private readonly context: OperatorContext;
  private readonly limits: LocalLimits;

  constructor({ gapMs, fold, limits }: SessionLocalSpec, context: OperatorContext) {
    this.gapMs = gapMs;
    this.fold = withReserved(fold, localNumbers.sessions);
    this.layout = { fold, of: 'sessions' };
    this.context = context;
    this.limits = limits;
    this.reduction = new Reduction(limits);
    this.emitRows = emitRowsOf(this.layout, context);
    this.table = context.scratchTable(this.fold.row);
    if (context.codegen === 'off') {
      this.add = plainSessionLocalLoop(this.fold, this.layout, this, context.operatorId);
    }
  }

  get passes(): boolean {
    return this.reduction.passes;
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs): number {
    this.add ??= this.context.compileRecordLoop(this.recordLoop());
    return this.add(batch, from, out, 0);
  }

  recordLoop(): RecordLoop {
    return sessionLocalLoop(this.fold, this.layout, this);
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    this.watermark = Math.max(this.watermark, timeMs);
    return this.giveOut(this.newestMs < this.watermark ? Infinity : this.watermark, out);
  }

  onBarrier(out: Outputs): Progress {
    return this.giveOut(Infinity, out);
  }

  onEnd(out: Outputs): Progress {
    return this.giveOut(Infinity, out);
  }

  begin(out: Outputs): boolean {
    if (this.givesBefore === -Infinity) return true;
    const progress = this.giveOut(this.givesBefore, out);
    return progress === 'done' && out.main.count < coreLimits.batchRecordsMax;
  }

  touches(key: Key, timestamp: number): boolean {
    const slot = this.table.find(key);
    if (slot < 0) return false;
    const { numbers, numberStride } = this.table;
    const row = slot * numberStride;
    return (
      timestamp >= numbers[row + first]! - this.gapMs &&
      timestamp <= numbers[row + last]! + this.gapMs
    );
  }

  give(slot: number, out: Outputs): void {
    this.reduction.gaveOut(1, this.emit(slot, out.main));
    this.table.remove(slot);
  }

  madeRow(timestamp: number): boolean {
    this.newestMs = Math.max(this.newestMs, timestamp);
    if (this.table.size >= this.limits.localRowsMax) this.givesBefore = Infinity;
    return this.givesBefore === Infinity;
  }

  addedRecord(): boolean {
    this.records += 1;
    if (this.records >= this.limits.localRecordsMax) this.givesBefore = Infinity;
    return this.givesBefore === Infinity;
  }

  passed(): boolean {
    return this.reduction.passed();
  }

  /** Gives out the rows that begin before `beforeMs`, and all where records are to pass. */
  private giveOut(beforeMs: number, out: Outputs): Progress {
    if (beforeMs > this.givesBefore) {
      this.givesBefore = beforeMs;
      this.slot = 0;
    }
    do {
      if (!this.giveRows(out.main)) return 'more';
      if (this.reduction.look()) this.givesBefore = Infinity;
    } while (this.givesBefore === Infinity && this.table.size > 0);
    this.givesBefore = -Infinity;
    return 'done';
  }

  /** False when the batch is full. */
  private giveRows(batch: RecordBatch): boolean {
    const { table, givesBefore } = this;
    let { slot } = this;
    let rows = 0;
    let taken = 0;
    for (; slot < table.high && batch.count < coreLimits.batchRecordsMax; slot += 1) {
      if (!table.isLive(slot)) continue;
      if (table.numbers[slot * table.numberStride + first]! >= givesBefore) continue;
      rows += 1;
      taken += this.emit(slot, batch);
      // Where all go they are forgotten together.
      if (givesBefore !== Infinity) table.remove(slot);
    }
    this.slot = slot;
    this.reduction.gaveOut(rows, taken);
    if (slot < table.high) return false;
    this.slot = 0;
    if (givesBefore === Infinity || table.size === 0) {
      table.clear();
      this.newestMs = -Infinity;
    }
    return true;
  }

  /** Appends a row to the batch; returns the number of records in it. */
  private emit(slot: number, batch: RecordBatch): number {
    const { table } = this;
    const row = slot * table.numberStride;
    const count = table.numbers[row + records]!;
    this.emitRows(table, { from: slot, to: slot + 1 }, table.numbers[row + first]!, batch);
    this.records = Math.max(0, this.records - count);
    return count;
  }
}
