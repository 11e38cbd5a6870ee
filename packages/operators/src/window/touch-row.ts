import type { KeyTable } from '@millrace/core/spi';

/** Says ahead of a change of a row that it changes. */
export function touchRow(table: KeyTable, slot: number): void {
  if (table.marks[slot]! < table.epoch) table.touch(slot);
}

/** Whether the rows that code changes are state that snapshots are taken of. */
export type Tracking = 'tracked' | 'untracked';

/** The same as text; nothing where changes are not tracked. */
export const touchStatement = (tracking: Tracking, slot: string): string =>
  tracking === 'tracked' ? `if (table.marks[${slot}] < table.epoch) table.touch(${slot});` : '';
