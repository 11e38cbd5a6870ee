import { coreLimits, toMillraceError } from '@millrace/core/internal';
import {
  type Key,
  type KeyGroupTimes,
  type KeyTable,
  type KeyTables,
  type Operator,
  type OperatorContext,
  type Outputs,
  type Prefetch,
  type Progress,
  type RecordBatch,
  RecordFailure,
  type RecordLoop,
  touchRow,
} from '@millrace/core/spi';
import { type AddTarget, addLoopOf, plainAddLoop } from './add-code.js';
import { sliceMs, type TimeWindow, type WindowAssigner } from './assigner.js';
import { detailOf, Firing } from './firing.js';
import { type Fold, shapeOf } from './fold.js';
import { LateRecords } from './late-records.js';
import { type Marks, marksOf } from './marks.js';
import type { FailedKey, PaneStore, Place } from './pane-store.js';
import { prefetchRows } from './prefetch-rows.js';
import { rowCodeOf } from './row-code.js';
import { RowPages } from './row-pages.js';
import { RowsBefore } from './rows-before.js';
import { RowsBehind } from './rows-behind.js';
import { SliceStore } from './slice-store.js';
import { trackingOf } from './tracking.js';
import { WholeWindowStore } from './whole-window-store.js';
import type { Pane } from './window.js';

export interface WindowSpec {
  readonly assigner: Exclude<WindowAssigner, { kind: 'session' }>;
  readonly latenessMs: number;
  readonly fold: Fold;
}

/** Whether a window's records are kept in shared slices, or once for each window. */
export function storageOf({
  assigner,
  fold,
}: Omit<WindowSpec, 'latenessMs'>): 'slices' | 'windows' {
  if (assigner.kind === 'custom') return 'windows';
  if (assigner.kind === 'tumbling') return 'slices';
  const slices = assigner.sizeMs / sliceMs(assigner);
  return fold.mergeable && slices <= coreLimits.windowSlicesMax ? 'slices' : 'windows';
}

const onTime: Pane = Object.freeze({ index: 0, timing: 'onTime' });

/** What results show of a window: all of them share the object, and nothing else is in it. */
const borders = ({ start, end }: TimeWindow): TimeWindow => Object.freeze({ start, end });

interface FiringWindow {
  readonly window: TimeWindow;
  readonly rows: KeyTable;
  /** Of the rows that are outside memory; they come after those in it. */
  readonly pages: RowPages | undefined;
  /** Keys without a row, to be told of first. */
  readonly failed: FailedKey[];
  isEmitting: boolean;
}

/** Tumbling, sliding and custom windows: fired by the watermark, without a timer for each key. */
export class AlignedWindowOperator implements Operator, AddTarget {
  lo = 1;
  hi = 0;
  again = false;
  readonly marks: Marks;
  table: KeyTable;
  tables: readonly KeyTable[];
  private place: Place | undefined;
  private firedUpTo = -Infinity;
  /** Windows may end together: the last one of them that fired. */
  private lastFired: TimeWindow = { start: -Infinity, end: -Infinity };
  private firing: FiringWindow | undefined;
  /** The key that the last failure was about. */
  private failedKey: Key | undefined;
  /**
   * By end of window, and by start where windows may end together, the next pane of each key that
   * fired; kept while late records may come.
   */
  private readonly nextPane: KeyTables;
  private readonly firedTimes: KeyGroupTimes;
  private readonly behind: RowsBehind;
  private readonly rowTables: KeyTables;
  private readonly store: PaneStore;
  private readonly fold: Fold;
  private readonly perWindow: boolean;
  private readonly mayEndTogether: boolean;
  private add: Operator['processBatch'] | undefined;
  private readonly fire: Firing;
  private readonly lateRecords: LateRecords;
  private readonly scratch: KeyTable;
  private readonly context: OperatorContext;
  private readonly latenessMs: number;
  /** What a record changes that fires windows again; undefined where that is never taken back. */
  private readonly before: RowsBefore | undefined;

  constructor(spec: WindowSpec, context: OperatorContext) {
    const { assigner, latenessMs, fold } = spec;
    const rows = rowCodeOf(fold, context);
    const perWindow = storageOf(spec) === 'windows';
    const namespaceLength = perWindow ? 2 : 1;
    const tables = context.keyTables('rows', {
      ...fold.row,
      shape: shapeOf(fold),
      namespaceLength,
    });
    this.rowTables = tables;
    const scratch = (): KeyTable => context.scratchTable(fold.row);
    this.store =
      perWindow || assigner.kind === 'custom'
        ? new WholeWindowStore(assigner, latenessMs, tables)
        : new SliceStore({ assigner, latenessMs }, tables, scratch, rows);
    this.mayEndTogether = assigner.kind === 'custom';
    const panes = { numbers: [0], refs: [], shape: 'next pane' };
    const paneNamespace = this.mayEndTogether ? 2 : 1;
    this.nextPane = context.keyTables('panes', { ...panes, namespaceLength: paneNamespace });
    this.firedTimes = context.keyGroupTimes('fired');
    this.behind = new RowsBehind(this.firedTimes, () => context.scratchTable(fold.row));
    this.fold = fold;
    this.perWindow = perWindow;
    if (context.codegen === 'off') this.add = plainAddLoop(fold, this, context.operatorId);
    this.fire = new Firing(fold, rows, context);
    this.scratch = scratch();
    this.table = this.scratch;
    this.tables = [];
    this.lateRecords = new LateRecords(context);
    this.context = context;
    this.latenessMs = latenessMs;
    this.marks = marksOf(context, latenessMs);
    this.before = this.marks === 'none' ? undefined : new RowsBefore();
    context.metrics.gauge('windowRows', () => this.store.rowCount);
  }

  async open(): Promise<void> {
    this.store.restore();
    this.firedUpTo = this.firedTimes.highest;
    this.lastFired = { start: Infinity, end: this.firedTimes.lowest };
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs): number {
    this.add ??= this.context.compileRecordLoop(this.recordLoop());
    return this.add(batch, from, out, 0);
  }

  recordLoop(): RecordLoop {
    const { perWindow, context } = this;
    const tracking = trackingOf(context);
    return addLoopOf(this.fold, this, { perWindow, tracking });
  }

  seek(timestamp: number): boolean {
    const place = this.store.place(timestamp, this.firedUpTo);
    this.place = place;
    if (place === undefined) {
      this.lo = 1;
      this.hi = 0;
      return false;
    }
    this.lo = place.lo;
    this.hi = place.hi;
    this.tables = place.tables;
    // A custom assigner may put a record in no window.
    this.table = place.tables[0] ?? this.scratch;
    const first = place.windows[0];
    this.again = first !== undefined && first.end <= this.firedUpTo;
    return true;
  }

  late(value: unknown, key: Key, timestamp: number, out: Outputs): void {
    this.lateRecords.take(value, key, timestamp, out);
  }

  beforeAgain(key: Key): void {
    const { before } = this;
    before?.begin();
    if (before !== undefined) for (const table of this.tables) before.keep(table, key);
    for (const window of this.firedWindows()) {
      const panes = this.panesOf(window);
      before?.keep(panes, key);
      if (panes.find(key) >= 0) continue;
      const at = panes.slot(key);
      panes.numbers[at] = this.store.hasKey(window, key as never) ? 1 : 0;
    }
  }

  fireAgain(key: Key, out: Outputs): void {
    try {
      this.firePanes(key, out);
    } catch (error) {
      this.before?.restore();
      throw error;
    }
  }

  private firePanes(key: Key, out: Outputs): void {
    for (const window of this.firedWindows()) {
      const panes = this.panesOf(window);
      const at = panes.slot(key);
      const index = panes.numbers[at]!;
      touchRow(panes, at);
      panes.numbers[at] = index + 1;
      const { scratch: rows } = this;
      const pane: Pane = { index, timing: 'late' };
      try {
        this.store.rowOf(window, key as never, rows);
        this.fire.start({ rows, window: borders(window), pane, from: 0, to: rows.high });
        this.fire.finish(out);
      } finally {
        this.scratch.clear();
      }
    }
  }

  retryFiring(): void {
    if (this.failedKey === undefined) this.fire.stepBack();
    else this.mergeAgain(this.failedKey, this.firing!);
  }

  prefetch(next: Prefetch): Promise<void> | undefined {
    if (this.rowTables.prefetch === undefined) return undefined;
    if (next.kind === 'batch') return prefetchRows(this.rowTables, this.store, next);
    if (this.firing !== undefined) return this.firing.pages?.prefetch();
    const window = this.store.nextDue(this.lastFired, next.timeMs);
    return window !== undefined && this.store.mustGather(window) ? this.gather(window) : undefined;
  }

  private async gather(window: TimeWindow): Promise<void> {
    try {
      await this.store.gather(window);
    } catch (error) {
      throw toMillraceError(error, 'ERR_INVARIANT', { operator: this.context.operatorId });
    }
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    for (;;) {
      if (this.firing === undefined) {
        const window = this.store.nextDue(this.lastFired, timeMs);
        if (window === undefined) break;
        if (this.store.mustGather(window)) return 'more';
        this.firing = this.startFiring(window);
      }
      this.beginEmitting(this.firing);
      if (this.fire.resume(out) === 'more') return 'more';
      const { window, rows, pages } = this.firing;
      if (pages !== undefined && !pages.isOver) {
        const page = pages.take();
        // It is loaded ahead of the next call.
        if (page === undefined) return 'more';
        this.emitRows(window, page);
        continue;
      }
      this.store.release(window, rows);
      this.lastFired = window;
      this.firing = undefined;
    }
    this.firedUpTo = Math.max(this.firedUpTo, timeMs);
    this.firedTimes.advance(timeMs);
    this.lastFired = { start: Infinity, end: this.firedTimes.lowest };
    this.purge();
    return 'done';
  }

  private startFiring(window: TimeWindow): FiringWindow {
    const failed: FailedKey[] = [];
    const rows = this.store.rowsOf(window, failed);
    // Asked for ahead of everything: from then on no row of the table leaves memory.
    const pages = this.store.isMerged(rows) ? undefined : this.rowTables.outsidePages?.(rows);
    return { window, rows, pages: pages && new RowPages(pages), failed, isEmitting: false };
  }

  private beginEmitting(firing: FiringWindow): void {
    if (firing.isEmitting) return;
    const failed = firing.failed.shift();
    this.failedKey = failed?.key;
    if (failed !== undefined) {
      const detail = detailOf(failed.key, firing.window);
      throw new RecordFailure(-1, this.context.operatorId, failed.error, detail);
    }
    firing.isEmitting = true;
    this.emitRows(firing.window, firing.rows);
  }

  private mergeAgain(key: Key, { window, rows, failed }: FiringWindow): void {
    try {
      this.store.rowOf(window, key as never, rows);
    } catch (error) {
      failed.unshift({ key, error });
    }
  }

  private emitRows(window: TimeWindow, all: KeyTable): void {
    const { lowest, highest } = this.firedTimes;
    const rows = lowest < highest ? this.behind.rowsOf(all, window.end) : all;
    this.fire.start({ rows, window: borders(window), pane: onTime, from: 0, to: rows.high });
  }

  private purge(): void {
    this.store.purge(this.firedTimes.lowest);
    if (this.latenessMs > 0) {
      for (const namespace of [...this.nextPane.namespaces()]) {
        if (namespace[0]! + this.latenessMs <= this.firedUpTo) this.nextPane.drop(...namespace);
      }
    }
    this.lo = 1;
    this.hi = 0;
  }

  private firedWindows(): readonly TimeWindow[] {
    return this.place!.windows.filter(({ end }) => end <= this.firedUpTo);
  }

  private panesOf({ start, end }: TimeWindow): KeyTable {
    return this.mayEndTogether ? this.nextPane.open(end, start) : this.nextPane.open(end);
  }
}
