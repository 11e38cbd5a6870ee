import type { KeyTable } from './state.js';

/** Says ahead of a change of a row that was there before that it changes. */
export function touchRow(table: KeyTable, slot: number): void {
  if (table.marks[slot]! < table.epoch) table.touch(slot);
}
