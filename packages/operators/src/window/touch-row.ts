import type { KeyTable } from '@millrace/core/spi';

/** Says ahead of a change of a row that it changes. */
export function touchRow(table: KeyTable, slot: number): void {
  if (table.marks[slot]! < table.epoch) table.touch(slot);
}

/**
 * Whether the rows that code changes are state that snapshots are taken of. `hoisted`: the code has
 * `marks` and `epoch` of its table at hand. Marks that were replaced since, by a table that grew,
 * are older and so make for a touch too many, never for one too few.
 */
export type Tracking = 'tracked' | 'hoisted' | 'untracked';

/** The same as text; nothing where changes are not tracked. */
export function touchStatement(tracking: Tracking, slot: string): string {
  if (tracking === 'untracked') return '';
  const [marks, epoch] =
    tracking === 'hoisted' ? ['marks', 'epoch'] : ['table.marks', 'table.epoch'];
  return `if (${marks}[${slot}] < ${epoch}) table.touch(${slot});`;
}
