import type { CellKind, CellRow } from './cell-kind.js';
import type { StoredBlock } from './state-part.js';

/** What a timer is in a snapshot: the order of timers of the same time is kept, too. */
export interface StoredTimer {
  readonly atMs: number;
  readonly sequence: number;
}

/** What the timers of one name do with their cells. */
export interface TimerCells<C> {
  timersIn(cell: C): Iterable<StoredTimer>;
  weightOf(cell: C): number;
  with(cell: C | undefined, timer: StoredTimer, slot: number): C;
}

/** Cells that are timers: a row for each; a key whose timers changed is written whole. */
export function timersKind<C>(cells: TimerCells<C>): CellKind {
  const write = (timers: Iterable<StoredTimer>, row: CellRow): void => {
    if (!row.isNew) row.out.removeKey(row);
    for (const { atMs, sequence } of timers) {
      const { block, row: at } = row.out.row(row);
      block.number(at, 0, atMs);
      block.number(at, 1, sequence);
    }
  };
  return {
    layout: { kind: 'timers', numbers: 2, blobs: 0, identityNumbers: 1, identityBlobs: 0 },
    keep: (cell) =>
      Array.from(cells.timersIn(cell as C), ({ atMs, sequence }) => ({ atMs, sequence })),
    write: (cell, row) => write(cells.timersIn(cell as C), row),
    writeKept: (kept, row) => write(kept as readonly StoredTimer[], row),
    weightOf: (cell) => cells.weightOf(cell as C),
    load(cell, { columns }: StoredBlock, { row, slot }) {
      const timer = { atMs: columns.numbers[0]![row]!, sequence: columns.numbers[1]![row]! };
      return cells.with(cell as C | undefined, timer, slot);
    },
  };
}
