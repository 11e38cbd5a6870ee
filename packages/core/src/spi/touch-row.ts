import type { KeyTable } from './state.js';

/** Says ahead of a change of a row that was there before that it changes. */
export function touchRow(table: KeyTable, slot: number): void {
  const { numbers, numberStride, numberCount, epoch } = table;
  if (epoch > 0 && numbers[slot * numberStride + numberCount]! < epoch) table.touch(slot);
}
