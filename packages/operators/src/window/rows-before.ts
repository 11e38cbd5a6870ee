import type { AccumulatorCells, Key, KeyTable } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import { rowCopy, storeCells } from './fold-plain.js';

interface RowBefore {
  readonly table: KeyTable;
  readonly key: Key;
  /** Undefined: there was no such row. */
  readonly cells: AccumulatorCells | undefined;
}

/** Rows as they were ahead of a record, for when what it causes fails and it is to leave no trace. */
export class RowsBefore {
  private readonly rows: RowBefore[] = [];

  /** Forgets those of another record. */
  begin(): void {
    this.rows.length = 0;
  }

  keep(table: KeyTable, key: Key): void {
    const slot = table.find(key);
    this.rows.push({ table, key, cells: slot < 0 ? undefined : copyOf(table, slot) });
  }

  /** Puts all rows back. */
  restore(): void {
    for (const { table, key, cells } of this.rows) {
      const slot = table.find(key);
      if (slot < 0) continue;
      if (cells === undefined) table.remove(slot);
      else {
        touchRow(table, slot);
        storeCells(table, slot, cells);
      }
    }
    this.begin();
  }
}

function copyOf(table: KeyTable, slot: number): AccumulatorCells {
  const copy = rowCopy(table, slot);
  return { ...copy, refs: copy.refs.map(shallowCopy) };
}

/** Aggregators add to lists and sets in place; what is in them they leave alone. */
function shallowCopy(ref: unknown): unknown {
  if (Array.isArray(ref)) return ref.slice();
  if (ref instanceof Set) return new Set(ref);
  return ref instanceof Map ? new Map(ref) : ref;
}
