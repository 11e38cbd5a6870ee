import { canonicalKey } from '@millrace/core/internal';
import type { Key, KeyTable, KeyTables } from '@millrace/core/spi';
import type { AlignedAssigner, TimeWindow } from './assigner.js';
import { copyRow } from './fold-plain.js';
import { type FailedKey, firstIndex, type PaneStore, type Place } from './pane-store.js';
import type { RowCode } from './row-code.js';
import { SliceTimes } from './slice-times.js';

interface Slice {
  readonly start: number;
  readonly end: number;
  readonly table: KeyTable;
}

interface GatheredWindow {
  readonly window: TimeWindow;
  readonly rows: KeyTable;
  readonly failed: readonly FailedKey[];
}

/**
 * Aligned windows over shared slices: a record is added once, however many windows it is in, and a
 * window is merged from its slices when it fires (Krishnamurthy et al., "On-the-fly sharing for
 * streamed aggregation", 2006).
 */
export class SliceStore implements PaneStore {
  private readonly slices: Slice[] = [];
  private readonly assigner: AlignedAssigner;
  private readonly latenessMs: number;
  private readonly tables: KeyTables;
  private readonly scratch: () => KeyTable;
  /** Where windows of several slices are merged: used again by the next one. */
  private merged: KeyTable | undefined;
  /** A window whose rows have been merged ahead, since some were outside memory. */
  private gathered: GatheredWindow | undefined;
  private readonly rows: RowCode;
  private readonly times: SliceTimes;

  /** @param scratch makes a table that is no state */
  constructor(
    { assigner, latenessMs }: { assigner: AlignedAssigner; latenessMs: number },
    tables: KeyTables,
    scratch: () => KeyTable,
    rows: RowCode,
  ) {
    this.assigner = assigner;
    this.latenessMs = latenessMs;
    this.tables = tables;
    this.scratch = scratch;
    this.rows = rows;
    this.times = new SliceTimes(assigner);
  }

  get rowCount(): number {
    return this.slices.reduce((sum, { table }) => sum + table.size, 0);
  }

  restore(): void {
    for (const [start] of this.tables.namespaces()) this.sliceAt(start!);
  }

  place(timestamp: number, watermark: number): Place | undefined {
    const start = this.times.startOf(timestamp);
    if (this.times.lastEnd(start) + this.latenessMs <= watermark) return undefined;
    const { table, end } = this.sliceAt(start);
    const windows = this.windowsOf(start).filter((w) => w.end + this.latenessMs > watermark);
    return { lo: start, hi: end, tables: [table], windows };
  }

  existing(timestamp: number): Omit<Place, 'windows'> {
    const start = this.times.startOf(timestamp);
    const slice = this.slices[firstIndex(this.slices, (other) => other.start >= start)];
    const tables = slice?.start === start ? [slice.table] : [];
    return { lo: start, hi: start + this.times.sliceMs, tables };
  }

  nextDue({ end: after }: TimeWindow, upTo: number): TimeWindow | undefined {
    const { sizeMs, slideMs } = this.assigner;
    for (const { start } of this.slices) {
      let end = this.times.firstEnd(start);
      if (end <= after) end += (Math.floor((after - end) / slideMs) + 1) * slideMs;
      // Slices are in order, so no later one has an earlier window that is due.
      if (end <= this.times.lastEnd(start))
        return end <= upTo ? { start: end - sizeMs, end } : undefined;
    }
    return undefined;
  }

  mustGather(window: TimeWindow): boolean {
    if (this.tables.outsidePages === undefined || this.isGathered(window)) return false;
    return this.slicesOf(window).length > 1;
  }

  /**
   * Limit: the merged rows of one window are all in memory until it has fired, however many of its
   * slices' rows are outside.
   */
  async gather(window: TimeWindow): Promise<void> {
    const rows = this.merged ?? this.scratch();
    this.merged = undefined;
    const failed: FailedKey[] = [];
    try {
      await this.forAllRows(window, (table) => this.rows.mergeAll(rows, table));
    } catch {
      rows.clear();
      await this.forAllRows(window, this.oneByOne(rows, failed));
    }
    this.gathered = { window, rows, failed };
  }

  /** Calls `merge` with all rows of a window, in memory and outside, table by table. */
  private async forAllRows(window: TimeWindow, merge: (table: KeyTable) => void): Promise<void> {
    for (const { table } of this.slicesOf(window)) {
      // Asked for first: from then on no row of the table leaves memory.
      const pages = this.tables.outsidePages!(table);
      merge(table);
      if (pages === undefined) continue;
      for (let page = await pages.next(); page.done !== true; page = await pages.next()) {
        merge(page.value);
      }
    }
  }

  rowsOf(window: TimeWindow, failed: FailedKey[]): KeyTable {
    const slices = this.slicesOf(window);
    if (slices.length === 1) return slices[0]!.table;
    if (this.isGathered(window)) {
      const gathered = this.gathered!;
      this.gathered = undefined;
      for (const key of gathered.failed) failed.push(key);
      return gathered.rows;
    }
    const merged = this.merged ?? this.scratch();
    this.merged = undefined;
    try {
      for (const { table } of slices) this.rows.mergeAll(merged, table);
    } catch {
      merged.clear();
      const merge = this.oneByOne(merged, failed);
      for (const { table } of slices) merge(table);
    }
    return merged;
  }

  /** Where some key's rows cannot be merged, the others' still are. */
  private oneByOne(merged: KeyTable, failed: FailedKey[]): (table: KeyTable) => void {
    const without = new Set<unknown>();
    return (table) => {
      for (let from = 0; from < table.high; from += 1) {
        if (!table.isLive(from)) continue;
        const key = table.keyAt(from);
        if (without.has(canonicalKey(key))) continue;
        try {
          this.rows.mergeRow(merged, merged.slot(key), table, from);
        } catch (error) {
          removeRow(merged, key);
          without.add(canonicalKey(key));
          failed.push({ key, error });
        }
      }
    };
  }

  isMerged(rows: KeyTable): boolean {
    return !this.slices.some(({ table }) => table === rows);
  }

  release(_window: TimeWindow, rows: KeyTable): void {
    if (!this.isMerged(rows)) return;
    rows.clear();
    this.merged = rows;
  }

  rowOf(window: TimeWindow, key: never, into: KeyTable): number {
    let slot = -1;
    const slices = this.slicesOf(window);
    if (slices.length === 1) return copyRow(slices[0]!.table, key, into);
    for (const { table } of slices) {
      const from = table.find(key);
      if (from < 0) continue;
      try {
        if (slot < 0) slot = into.slot(key);
        this.rows.mergeRow(into, slot, table, from);
      } catch (error) {
        removeRow(into, key);
        throw error;
      }
    }
    return slot;
  }

  hasKey(window: TimeWindow, key: never): boolean {
    return this.slicesOf(window).some(({ table }) => table.find(key) >= 0);
  }

  purge(watermark: number): void {
    let closed = 0;
    for (const { start } of this.slices) {
      if (this.times.lastEnd(start) + this.latenessMs > watermark) break;
      this.tables.drop(start);
      closed += 1;
    }
    if (closed > 0) this.slices.splice(0, closed);
  }

  private isGathered({ end }: TimeWindow): boolean {
    return this.gathered?.window.end === end;
  }

  private windowsOf(sliceStart: number): TimeWindow[] {
    const { sizeMs, slideMs } = this.assigner;
    const windows: TimeWindow[] = [];
    const last = this.times.lastEnd(sliceStart);
    for (let end = this.times.firstEnd(sliceStart); end <= last; end += slideMs) {
      windows.push({ start: end - sizeMs, end });
    }
    return windows;
  }

  private slicesOf({ start, end }: TimeWindow): readonly Slice[] {
    const from = firstIndex(this.slices, (slice) => slice.start >= start);
    const to = firstIndex(this.slices, (slice) => slice.start >= end);
    return this.slices.slice(from, to);
  }

  private sliceAt(start: number): Slice {
    const index = firstIndex(this.slices, (slice) => slice.start >= start);
    const found = this.slices[index];
    if (found?.start === start) return found;
    const slice: Slice = { start, end: start + this.times.sliceMs, table: this.tables.open(start) };
    this.slices.splice(index, 0, slice);
    return slice;
  }
}

/** Removes a key's row, which need not have been made: that may be what failed. */
function removeRow(table: KeyTable, key: Key): void {
  const slot = table.find(key);
  if (slot >= 0) table.remove(slot);
}
