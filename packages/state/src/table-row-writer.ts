import type { Key } from '@millrace/core';
import { RecordWriter } from '@millrace/core/internal';
import { BlockBuilder, type BlockSink } from './block-builder.js';
import type { HeapKeyTable } from './heap-key-table.js';
import type { RowPlace, RowWriter } from './rows-snapshot.js';
import type { StateLayout } from './segment/block.js';

/** Writes rows of a table: its numbers as they are, its references as records. */
export class TableRowWriter implements RowWriter {
  private readonly table: HeapKeyTable;
  private readonly namespace: readonly number[];
  private readonly rows: BlockBuilder;
  private readonly record = new RecordWriter({ properties: 'trusted' });

  constructor(table: HeapKeyTable, layout: StateLayout, namespace: readonly number[]) {
    this.table = table;
    this.namespace = namespace;
    this.rows = new BlockBuilder(layout, 'rows');
  }

  write({ where, at }: RowPlace, group: number, key: Key, sink: BlockSink): void {
    const { table, rows } = this;
    const row = rows.row(group, key);
    const inPlace = where === 'inPlace';
    const numbers = inPlace ? table.numbers : table.asideNumbers;
    const { numberStride: ns, refStride: rs } = table;
    for (let i = 0; i < ns; i += 1) rows.number(row, i, numbers[at * ns + i]!);
    if (rs > 0) this.writeRefs(row, inPlace ? table.refs : table.asideRefs, at * rs);
    if (rows.isFull) rows.flush(sink, this.namespace);
  }

  flush(sink: BlockSink): void {
    this.rows.flush(sink, this.namespace);
  }

  private writeRefs(row: number, refs: readonly unknown[], from: number): void {
    for (let j = 0; j < this.table.refStride; j += 1) {
      this.record.reset();
      this.record.write(refs[from + j]);
      this.rows.blob(row, j, this.record.peek());
    }
  }
}
