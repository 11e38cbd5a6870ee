import { coreLimits } from '@millrace/core/internal';
import type {
  KeyTable,
  Operator,
  OperatorContext,
  Outputs,
  Progress,
  RecordBatch,
  RecordLoop,
} from '@millrace/core/spi';
import { alignedLocalLoop, type LocalTarget, plainAlignedLocalLoop } from './aligned-local-code.js';
import type { AlignedAssigner } from './assigner.js';
import { type Fold, withReserved } from './fold.js';
import type { LocalLimits } from './limits.js';
import { firstIndex } from './pane-store.js';
import { type EmitRows, emitRowsOf, localNumbers } from './partial-output.js';
import type { PartialLayout } from './partial-rows.js';
import { Reduction } from './reduction.js';
import { SliceTimes } from './slice-times.js';

export interface AlignedLocalSpec {
  readonly assigner: AlignedAssigner;
  readonly fold: Fold;
  readonly limits: LocalLimits;
}

interface LocalSlice {
  readonly start: number;
  /** End of its first window: a watermark that has come there does not pass its rows. */
  readonly dueMs: number;
  readonly table: KeyTable;
}

/**
 * The local phase of windows in slices: a row for each key and slice, given out ahead of the
 * watermark that fires the slice's first window.
 *
 * Law: what is behind the subtask's own watermark is never held back: such a record may be late any
 * moment. So a record is late in two phases when it would be in one.
 */
export class AlignedLocalPhase implements Operator, LocalTarget {
  lo = 1;
  hi = 0;
  passes = false;
  table: KeyTable;
  /** In order of their starts. */
  private readonly slices: LocalSlice[] = [];
  private readonly free: KeyTable[] = [];
  private rows = 0;
  /** Records in them; counted where accumulators may grow. */
  private records = 0;
  private watermark = -Infinity;
  /** Slices that are due by then are being given out; −∞: none. */
  private givesUpTo = -Infinity;
  /** The next row of the first slice. */
  private slot = 0;
  private readonly reduction: Reduction;
  private readonly times: SliceTimes;
  private readonly fold: Fold;
  private readonly layout: PartialLayout;
  private readonly emitRows: EmitRows;
  private add: Operator['processBatch'] | undefined;
  private readonly context: OperatorContext;
  private readonly limits: LocalLimits;

  constructor({ assigner, fold, limits }: AlignedLocalSpec, context: OperatorContext) {
    this.fold = withReserved(fold, localNumbers.slices);
    this.layout = { fold, of: 'slices' };
    this.context = context;
    this.limits = limits;
    this.reduction = new Reduction(limits);
    this.times = new SliceTimes(assigner);
    this.emitRows = emitRowsOf(this.layout, context);
    this.table = context.scratchTable(this.fold.row);
    this.free.push(this.table);
    if (context.codegen === 'off') {
      this.add = plainAlignedLocalLoop(this.fold, this.layout, this, context.operatorId);
    }
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs): number {
    this.add ??= this.context.compileRecordLoop(this.recordLoop());
    return this.add(batch, from, out, 0);
  }

  recordLoop(): RecordLoop {
    return alignedLocalLoop(this.fold, this.layout, this);
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    this.watermark = Math.max(this.watermark, timeMs);
    return this.giveOut(this.watermark, out);
  }

  onBarrier(out: Outputs): Progress {
    return this.giveOut(Infinity, out);
  }

  onEnd(out: Outputs): Progress {
    return this.giveOut(Infinity, out);
  }

  begin(out: Outputs): boolean {
    if (this.givesUpTo === -Infinity) return true;
    const progress = this.giveOut(this.givesUpTo, out);
    return progress === 'done' && out.main.count < coreLimits.batchRecordsMax;
  }

  seek(timestamp: number): void {
    this.passes = this.reduction.passes;
    this.lo = -Infinity;
    this.hi = Infinity;
    if (this.passes) return;
    const { times } = this;
    const start = times.startOf(timestamp);
    const dueMs = times.firstEnd(start);
    this.lo = start;
    this.hi = start + times.sliceMs;
    this.passes = dueMs <= this.watermark;
    if (!this.passes) this.table = this.tableOf(start, dueMs);
  }

  madeRow(): boolean {
    this.rows += 1;
    if (this.rows >= this.limits.localRowsMax) this.givesUpTo = Infinity;
    return this.givesUpTo === Infinity;
  }

  addedRecord(): boolean {
    this.records += 1;
    if (this.records >= this.limits.localRecordsMax) this.givesUpTo = Infinity;
    return this.givesUpTo === Infinity;
  }

  passed(): boolean {
    if (!this.reduction.passed()) return false;
    this.forgetTarget();
    return true;
  }

  /** Gives out the slices that are due at `upToMs`, and all where records are to pass. */
  private giveOut(upToMs: number, out: Outputs): Progress {
    this.givesUpTo = Math.max(this.givesUpTo, upToMs);
    do {
      for (let [slice] = this.slices; slice !== undefined; [slice] = this.slices) {
        if (slice.dueMs > this.givesUpTo) break;
        if (!this.giveRows(slice, out.main)) return 'more';
        this.slices.shift();
        this.free.push(slice.table);
      }
      if (this.reduction.look()) this.givesUpTo = Infinity;
    } while (this.givesUpTo === Infinity && this.slices.length > 0);
    this.givesUpTo = -Infinity;
    this.forgetTarget();
    return 'done';
  }

  /** False when the batch is full. */
  private giveRows({ start, table }: LocalSlice, batch: RecordBatch): boolean {
    const from = this.slot;
    const to = Math.min(table.high, from + coreLimits.batchRecordsMax - batch.count);
    let records = 0;
    for (let slot = from; slot < to; slot += 1) {
      records += table.numbers[slot * table.numberStride]!;
    }
    this.emitRows(table, { from, to }, start, batch);
    this.slot = to;
    this.reduction.gaveOut(to - from, records);
    this.records = Math.max(0, this.records - records);
    if (to < table.high) return false;
    this.rows -= table.size;
    table.clear();
    this.slot = 0;
    return true;
  }

  private forgetTarget(): void {
    this.lo = 1;
    this.hi = 0;
  }

  private tableOf(start: number, dueMs: number): KeyTable {
    const index = firstIndex(this.slices, (slice) => slice.start >= start);
    const found = this.slices[index];
    if (found?.start === start) return found.table;
    const table = this.free.pop() ?? this.context.scratchTable(this.fold.row);
    this.slices.splice(index, 0, { start, dueMs, table });
    return table;
  }
}
