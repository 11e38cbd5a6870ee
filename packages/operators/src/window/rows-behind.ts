import type { KeyGroupTimes, KeyTable } from '@millrace/core/spi';
import { copyRow } from './fold-plain.js';

/**
 * After a restore the key groups of a subtask may have come unequally far, where they come from
 * several subtasks of which some did not wait for an idle source and others did. What one group has
 * fired is not fired again because of another.
 */
export class RowsBehind {
  private readonly times: KeyGroupTimes;
  private readonly scratch: () => KeyTable;
  private table: KeyTable | undefined;

  /** @param scratch makes a table that is no state */
  constructor(times: KeyGroupTimes, scratch: () => KeyTable) {
    this.times = times;
    this.scratch = scratch;
  }

  /** The rows of a window whose key groups have not come to its end; valid until the next call. */
  rowsOf(rows: KeyTable, endMs: number): KeyTable {
    this.table ??= this.scratch();
    this.table.clear();
    for (let slot = 0; slot < rows.high; slot += 1) {
      if (!rows.isLive(slot)) continue;
      const key = rows.keyAt(slot);
      if (this.times.of(key) < endMs) copyRow(rows, key as never, this.table);
    }
    return this.table;
  }
}
