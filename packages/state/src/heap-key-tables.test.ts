import { expect, test } from 'vitest';
import type { BlockSink } from './block-builder.js';
import { HeapKeyTables } from './heap-key-tables.js';
import { newBlockColumns } from './segment/block-columns.js';

const parts = {
  operator: 'sessions',
  state: 'older',
  spec: { numbers: [0], refs: [], shape: 'one number', namespaceLength: 0 },
  tracking: 'tracked',
  groupCount: 16,
  groupOf: () => 0,
} as const;

/** How many rows a snapshot of now has. */
function rowsWritten(tables: HeapKeyTables): number {
  let rows = 0;
  const sink: BlockSink = {
    layout: () => 0,
    drop: () => undefined,
    add: (_layout, _kind, _namespace, { count }) => {
      rows += count;
    },
  };
  tables.freeze();
  while (tables.step(sink, 100) === 'more');
  return rows;
}

test('a table that an operator has is still the one it has after a snapshot that dropped it', () => {
  const tables = new HeapKeyTables(parts);
  const held = tables.open();
  const columns = newBlockColumns(tables.layout);
  tables.load({ kind: 'drop', namespace: [], columns, version: 1, chainGroups: undefined });
  held.slot('a key');
  expect(rowsWritten(tables)).toBe(1);
  expect(tables.open()).toBe(held);
});
