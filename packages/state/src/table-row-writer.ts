import type { Key } from '@millrace/core';
import { RecordWriter } from '@millrace/core/internal';
import { BlockBuilder } from './block-builder.js';
import type { HeapKeyTable } from './heap-key-table.js';
import type { RowPlace, RowWriter } from './rows-snapshot.js';
import type { StateLayout } from './segment/block.js';

/**
 * Writes rows of the tables of a state, which come one after another: their numbers as they are,
 * their references as records.
 */
export class TableRowWriter {
  private readonly layout: StateLayout;
  private readonly record = new RecordWriter({ properties: 'trusted' });
  private builder: BlockBuilder | undefined;

  constructor(layout: StateLayout) {
    this.layout = layout;
  }

  /** For the rows of one table; it must be flushed before another one writes. */
  of(table: HeapKeyTable, namespace: readonly number[]): RowWriter {
    this.builder ??= new BlockBuilder(this.layout, 'rows');
    const { builder } = this;
    return {
      get bytes() {
        return builder.blobBytes;
      },
      write: (place, group, key, sink) => {
        this.write(builder, table, place, group, key);
        if (builder.isFull) builder.flush(sink, namespace);
      },
      flush: (sink) => builder.flush(sink, namespace),
    };
  }

  /** Forgets rows that were not handed on. */
  reset(): void {
    this.builder = undefined;
  }

  private write(
    rows: BlockBuilder,
    table: HeapKeyTable,
    { where, at }: RowPlace,
    group: number,
    key: Key,
  ): void {
    const row = rows.row(group, key);
    const inPlace = where === 'inPlace';
    const numbers = inPlace ? table.numbers : table.asideNumbers;
    const { numberStride: ns, refStride: rs } = table;
    for (let i = 0; i < ns; i += 1) rows.number(row, i, numbers[at * ns + i]!);
    const refs = inPlace ? table.refs : table.asideRefs;
    for (let j = 0; j < rs; j += 1) {
      this.record.reset();
      this.record.write(refs[at * rs + j]);
      rows.blob(row, j, this.record.peek());
    }
  }
}
