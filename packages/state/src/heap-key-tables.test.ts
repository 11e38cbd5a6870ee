import { expect, test } from 'vitest';
import type { BlockSink } from './block-builder.js';
import { HeapKeyTables } from './heap-key-tables.js';
import { stateLimits } from './limits.js';
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
  tables.load({ kind: 'drop', namespace: [], columns, version: 1 });
  held.slot('a key');
  expect(rowsWritten(tables)).toBe(1);
  expect(tables.open()).toBe(held);
});

test('where most rows change it is not told which, and looked at again every so often', () => {
  const tables = new HeapKeyTables(parts);
  const table = tables.open();
  const changeAll = () => {
    for (let key = 0; key < 100; key += 1) {
      const slot = table.slot(key);
      if (table.marks[slot]! < table.epoch) table.touch(slot);
    }
  };
  let told = 0;
  for (let snapshot = 0; snapshot < 10 * (stateLimits.untoldEpochsMax + 1); snapshot += 1) {
    if (table.epoch > 0) told += 1;
    changeAll();
    expect(rowsWritten(tables)).toBe(100);
  }
  expect(told).toBeLessThanOrEqual(11);
  expect(told).toBeGreaterThanOrEqual(9);

  // At rest: written some times more, and then not at all.
  const written = Array.from({ length: stateLimits.untoldEpochsMax + 1 }, () =>
    rowsWritten(tables),
  );
  expect(written.at(-1)).toBe(0);
  const slot = table.slot(7);
  if (table.marks[slot]! < table.epoch) table.touch(slot);
  expect(rowsWritten(tables)).toBe(1);
});

test('however many windows a lost snapshot said were gone, the next one says so again', () => {
  const tables = new HeapKeyTables(parts);
  const columns = newBlockColumns(tables.layout);
  const windows = 200_000;
  for (let window = 0; window < windows; window += 1) {
    tables.load({ kind: 'rows', namespace: [window], columns, version: 1 });
    tables.drop(window);
  }
  tables.freeze();
  tables.abandon();
  let drops = 0;
  const drop = (): void => {
    drops += 1;
  };
  tables.freeze();
  tables.step({ layout: () => 0, add: () => undefined, drop }, 100);
  expect(drops).toBe(windows);
});
