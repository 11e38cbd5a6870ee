import type { Key } from '@millrace/core';
import { type CanonicalKey, canonicalKey } from '@millrace/core/internal';
import type { KeyTable, KeyTableSpec } from '@millrace/core/spi';
import { HeapKeyTable } from '../heap-key-table.js';
import type { OutsideRows } from './outside-rows.js';
import { rangeOf } from './row-codec.js';
import type { RowMover } from './row-mover.js';
import type { SpillEntry } from './spill-store.js';

/**
 * The rows of a table that are outside, page by page. From when this is made to its end no row of
 * the table leaves memory; one that is asked for meanwhile enters it and is in the pages all the
 * same: so whoever has seen the rows in memory before sees each row once.
 */
export class OutsidePages implements AsyncIterator<KeyTable> {
  private readonly rows: OutsideRows;
  private readonly mover: RowMover;
  private readonly number: number;
  private readonly page: HeapKeyTable;
  private entries: AsyncIterator<readonly SpillEntry[]> | undefined;
  private readonly arrivals = new Set<CanonicalKey>();
  private isOver: boolean;

  constructor(rows: OutsideRows, mover: RowMover, spec: KeyTableSpec) {
    this.rows = rows;
    this.mover = mover;
    this.number = rows.number;
    this.page = new HeapKeyTable(spec);
    this.isOver = rows.count === 0;
  }

  /** A row of the table has entered memory. */
  arrived(key: Key): void {
    this.arrivals.add(canonicalKey(key));
  }

  async next(): Promise<IteratorResult<KeyTable>> {
    const { page } = this;
    page.clear();
    while (!this.isOver && page.size === 0) {
      this.entries ??= this.mover.pages(rangeOf(this.number));
      const { done, value } = await this.entries.next();
      if (done === true || this.rows.number !== this.number) break;
      this.fill(value);
    }
    return page.size > 0 ? { done: false, value: page } : this.return();
  }

  async return(): Promise<IteratorResult<KeyTable>> {
    this.isOver = true;
    this.rows.closePages(this);
    const { entries } = this;
    this.entries = undefined;
    await entries?.return?.();
    return { done: true, value: undefined };
  }

  private fill(entries: readonly SpillEntry[]): void {
    const { rows, page, arrivals } = this;
    for (const [bytes, row] of entries) {
      const key = rows.codec.keyOf(bytes);
      const isWanted =
        rows.isOutside(key) || (arrivals.size > 0 && arrivals.has(canonicalKey(key)));
      if (isWanted) rows.codec.readRow(row, page, page.restoreSlot(key));
    }
  }
}
