import type { Key, KeyTable } from '@millrace/core/spi';
import type { TimeWindow } from './assigner.js';

/** Where a range of timestamps is stored. */
export interface Place {
  /** The place is the same for `lo ≤ timestamp < hi`. */
  readonly lo: number;
  readonly hi: number;
  readonly tables: readonly KeyTable[];
  /** Windows of these timestamps that still take records, in order of their ends. */
  readonly windows: readonly TimeWindow[];
}

/** A key whose rows an author's function would not merge. */
export interface FailedKey {
  readonly key: Key;
  readonly error: unknown;
}

/**
 * Keeps the rows of windows that are open. Two ways: shared slices, or a table for each window.
 *
 * A window is open until its end + allowed lateness has been reached by the watermark.
 */
export interface PaneStore {
  /** The place of a timestamp, made when there is none; undefined when all its windows closed. */
  place(timestamp: number, watermark: number): Place | undefined;
  /**
   * The tables of a timestamp as far as they are there; undefined where that is not cheap to say.
   */
  existing(timestamp: number): Omit<Place, 'windows'> | undefined;
  /** The next window with records, in order of end and start, behind `after` and `end ≤ upTo`. */
  nextDue(after: TimeWindow, upTo: number): TimeWindow | undefined;
  /**
   * Whether `gather` has to be called ahead of `rowsOf`: where rows may be outside memory, and a
   * window has several tables. Where it has one, `rowsOf` gives that, and the rest is in its pages.
   */
  mustGather(window: TimeWindow): boolean;
  /** Merges the window's rows, in memory and outside; `rowsOf` says what cannot be merged. */
  gather(window: TimeWindow): Promise<void>;
  /**
   * All rows of a window in one table, valid until `release`.
   *
   * @param failed gets the keys that are not in it, since their rows cannot be merged
   */
  rowsOf(window: TimeWindow, failed: FailedKey[]): KeyTable;
  /** Whether `rowsOf` has merged them, so that none is outside memory. */
  isMerged(rows: KeyTable): boolean;
  release(window: TimeWindow, rows: KeyTable): void;
  /** Copies or merges one key's rows of a window into the table `into`; its slot, or −1. */
  rowOf(window: TimeWindow, key: never, into: KeyTable): number;
  hasKey(window: TimeWindow, key: never): boolean;
  /** Frees what no open window needs. */
  purge(watermark: number): void;
  /** Rows kept now, over all tables. */
  readonly rowCount: number;
  /** Takes up the tables that were restored from a checkpoint. */
  restore(): void;
}

/** Index of the first element for which `isAfter` holds, in a list sorted by it. */
export function firstIndex<T>(sorted: readonly T[], isAfter: (element: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
