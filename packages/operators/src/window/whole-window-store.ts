import { MillraceError } from '@millrace/core';
import { coreLimits } from '@millrace/core/internal';
import type { KeyTable, KeyTables } from '@millrace/core/spi';
import type { AlignedAssigner, CustomAssigner, TimeWindow } from './assigner.js';
import { copyRow } from './fold-plain.js';
import { firstIndex, type PaneStore, type Place } from './pane-store.js';

interface OpenWindow extends TimeWindow {
  readonly table: KeyTable;
}

/**
 * A table for each window: for aggregates that cannot be merged, for windows of very many slices,
 * and for custom windows. A record is added to each of its windows.
 */
export class WholeWindowStore implements PaneStore {
  /** By end, then by start. */
  private readonly open: OpenWindow[] = [];
  private readonly assigner: AlignedAssigner | CustomAssigner;
  private readonly latenessMs: number;
  private readonly tables: KeyTables;

  constructor(assigner: AlignedAssigner | CustomAssigner, latenessMs: number, tables: KeyTables) {
    this.assigner = assigner;
    this.latenessMs = latenessMs;
    this.tables = tables;
  }

  get rowCount(): number {
    return this.open.reduce((sum, { table }) => sum + table.size, 0);
  }

  restore(): void {
    for (const [start, end] of this.tables.namespaces()) {
      this.openWindow({ start: start!, end: end! });
    }
  }

  place(timestamp: number, watermark: number): Place | undefined {
    const assigned = this.assign(timestamp);
    const windows = assigned.filter((w) => w.end + this.latenessMs > watermark);
    // Where there were none from the start, none has closed.
    if (windows.length === 0 && assigned.length > 0) return undefined;
    windows.sort(byEnd);
    const tables = windows.map((window) => this.openWindow(window).table);
    return { ...this.around(timestamp), tables, windows };
  }

  existing(timestamp: number): Omit<Place, 'windows'> | undefined {
    // The author's function is called once for each record, not ahead of it as well.
    if (this.assigner.kind === 'custom') return undefined;
    const tables = this.assign(timestamp).flatMap((window) => this.find(window)?.table ?? []);
    return { ...this.around(timestamp), tables };
  }

  mustGather(): boolean {
    return false;
  }

  async gather(): Promise<void> {
    // Each window has one table.
  }

  nextDue(after: TimeWindow, upTo: number): TimeWindow | undefined {
    const window = this.open[firstIndex(this.open, (open) => byEnd(open, after) > 0)];
    return window !== undefined && window.end <= upTo ? window : undefined;
  }

  rowsOf(window: TimeWindow): KeyTable {
    return this.openWindow(window).table;
  }

  isMerged(): boolean {
    return false;
  }

  release(): void {
    // The table stays the window's until it is purged.
  }

  rowOf(window: TimeWindow, key: never, into: KeyTable): number {
    return copyRow(this.openWindow(window).table, key, into);
  }

  hasKey(window: TimeWindow, key: never): boolean {
    return this.openWindow(window).table.find(key) >= 0;
  }

  purge(watermark: number): void {
    const closed = firstIndex(this.open, ({ end }) => end + this.latenessMs > watermark);
    for (const { start, end } of this.open.splice(0, closed)) this.tables.drop(start, end);
  }

  private find(window: TimeWindow): OpenWindow | undefined {
    const found = this.open[firstIndex(this.open, (other) => byEnd(other, window) >= 0)];
    return found !== undefined && byEnd(found, window) === 0 ? found : undefined;
  }

  private openWindow(window: TimeWindow): OpenWindow {
    const found = this.find(window);
    if (found !== undefined) return found;
    const index = firstIndex(this.open, (other) => byEnd(other, window) >= 0);
    const { start, end } = window;
    const opened = { start, end, table: this.tables.open(start, end) };
    this.open.splice(index, 0, opened);
    return opened;
  }

  /** The timestamps around this one that are in the same windows, as far as that is known. */
  private around(timestamp: number): { readonly lo: number; readonly hi: number } {
    const { assigner } = this;
    if (assigner.kind === 'custom') return { lo: timestamp, hi: timestamp + 1 };
    const { sizeMs, slideMs, offsetMs } = assigner;
    const start = Math.floor((timestamp - offsetMs) / slideMs) * slideMs + offsetMs;
    const end = start + (sizeMs % slideMs);
    return timestamp < end ? { lo: start, hi: end } : { lo: end, hi: start + slideMs };
  }

  private assign(timestamp: number): TimeWindow[] {
    const { assigner } = this;
    if (assigner.kind === 'custom') return distinct(checked(assigner, timestamp));
    const { sizeMs, slideMs, offsetMs } = assigner;
    const windows: TimeWindow[] = [];
    let start = Math.floor((timestamp - offsetMs) / slideMs) * slideMs + offsetMs;
    for (; start + sizeMs > timestamp; start -= slideMs) {
      windows.push({ start, end: start + sizeMs });
    }
    return windows;
  }
}

const byEnd = (a: TimeWindow, b: TimeWindow): number => a.end - b.end || a.start - b.start;

/** By end, then by start: a record is once in a window that its author's function gave twice. */
const distinct = (windows: readonly TimeWindow[]): TimeWindow[] =>
  [...windows].sort(byEnd).filter((window, i, all) => i === 0 || byEnd(all[i - 1]!, window) !== 0);

function checked({ name, assign }: CustomAssigner, timestamp: number): readonly TimeWindow[] {
  const windows = assign(timestamp);
  const wrong = windows.find(
    ({ start, end }) => !(Number.isSafeInteger(start) && start <= timestamp && timestamp < end),
  );
  if (wrong !== undefined || windows.length > coreLimits.windowsPerRecordMax) {
    const what =
      wrong === undefined ? `${windows.length} windows` : `[${wrong.start}, ${wrong.end})`;
    throw new MillraceError('ERR_INVALID_OPTION', `${name} gave ${what} for ${timestamp}`);
  }
  return windows;
}
