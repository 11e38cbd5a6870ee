import type { Key } from '@millrace/core';
import type { KeyTable, KeyTables, StateTableSpec } from '@millrace/core/spi';
import type { HeapKeyTable } from '../heap-key-table.js';
import type { OutsideRows } from './outside-rows.js';

/** Tables whose rows may be outside memory. */
export class LevelKeyTables implements KeyTables {
  private readonly tables: KeyTables;
  private readonly spec: StateTableSpec;

  constructor(tables: KeyTables, spec: StateTableSpec) {
    this.tables = tables;
    this.spec = spec;
  }

  prefetch(
    table: KeyTable,
    keys: readonly Key[],
    from: number,
    to: number,
  ): Promise<void> | undefined {
    return outsideOf(table).prefetch(keys, from, to);
  }

  outsidePages(table: KeyTable): AsyncIterator<KeyTable> | undefined {
    return outsideOf(table).openPages(this.spec);
  }

  open(...namespace: readonly number[]): KeyTable {
    return this.tables.open(...namespace);
  }

  drop(...namespace: readonly number[]): void {
    this.tables.drop(...namespace);
  }

  namespaces(): Iterable<readonly number[]> {
    return this.tables.namespaces();
  }
}

/** Tables of this backend are made with it. */
const outsideOf = (table: KeyTable): OutsideRows => (table as HeapKeyTable).outside as OutsideRows;
