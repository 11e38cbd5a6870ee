import type { Key } from '@millrace/core';

/**
 * Rows of one table that have been moved out of memory, as the table sees them. The table asks only
 * about keys that it has no row for, so that rows in memory cost what they cost without.
 */
export interface RowsOutside {
  /** Rows that are outside and not in memory. */
  readonly count: number;
  /** Brings the key's row into the table; its slot, or −1 where there is none outside. */
  fetch(key: Key): number;
  /** A row has been made that is new. */
  made(slot: number): void;
  /** A row is about to change: called once an epoch for each row. */
  changed(slot: number): void;
  /** A row is about to be removed. */
  removing(slot: number): void;
  /**
   * Rows of a restore are gone: those that are outside by then and have such keys. They are looked
   * for when the backend is relieved next, which is before anything else is loaded.
   */
  dropping(isGone: (key: Key) => boolean): void;
  /** All rows are gone, in memory and outside; the table may be used again. */
  cleared(): void;
}
