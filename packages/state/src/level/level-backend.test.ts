import type { Key } from '@millrace/core';
import type { KeyTable } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { LevelBackend } from './level-backend.js';
import { DeltaSink, groupCount, groups, settled } from './level-rig.js';
import { MemorySpillStore } from './memory-spill-store.js';

describe('a backend whose rows may be outside memory', () => {
  test('what changed while it was read ahead is not overwritten by what was read', async () => {
    const store = new MemorySpillStore();
    const backend = new LevelBackend({
      ...{ store, memoryBytesMax: 0, groupCount, groups },
      tracking: 'tracked',
    });
    const spec = { numbers: [0], refs: [], shape: '', namespaceLength: 1 };
    const tables = backend.keyTables('operator', 'rows', spec);
    const table = tables.open(0);
    for (const each of [1, 2, 3]) table.slot(each);
    await moveAllOut(backend);
    const read = heldBack(store);
    const reading = tables.prefetch!(table, [1, 2, 3], 0, 3)!;
    await settled();
    table.remove(table.find(1));
    table.numbers[slotTouched(table, 2)] = 40;
    await moveAllOut(backend);
    read();
    await reading;
    expect(table.find(1)).toBe(-1);
    expect(table.numbers[table.find(2)]).toBe(40);
    expect(table.size).toBe(2);
  });

  test('what it knows of keys that are gone is forgotten in time', async () => {
    const store = new MemorySpillStore();
    const backend = new LevelBackend({
      ...{ store, memoryBytesMax: 0, groupCount, groups },
      tracking: 'tracked',
    });
    const spec = { numbers: [0], refs: [], shape: '', namespaceLength: 1 };
    const tables = backend.keyTables('operator', 'rows', spec);
    const table = tables.open(0);
    const rows = 1_000;
    for (let from = 0; from < 100 * rows; from += rows) {
      for (let each = from; each < from + rows; each += 1) {
        const slot = table.slot(each);
        table.numbers[slot * table.numberStride] = each;
      }
      const gone = Array.from({ length: rows }, (_, i) => from - rows + i);
      await tables.prefetch!(table, gone, 0, rows);
      for (const each of from === 0 ? [] : gone) table.remove(table.find(each));
      await moveAllOut(backend);
    }
    expect(table.size).toBe(rows);
    for (let each = 99 * rows; each < 100 * rows; each += 1) {
      expect(table.numbers[table.find(each) * table.numberStride]).toBe(each);
    }
    // 100,000 keys have been in the filter; it would take 400,000 bytes with all of them.
    expect(backend.counts.bytes).toBeLessThan(150_000);
    expect(store.size).toBeLessThan(3 * rows);
  });

  test('counts reads that nobody prepared, by operator', async () => {
    const store = new MemorySpillStore();
    const backend = new LevelBackend({
      ...{ store, memoryBytesMax: 0, groupCount, groups },
      tracking: 'tracked',
    });
    const spec = { numbers: [0], refs: [], shape: '', namespaceLength: 1 };
    const tables = backend.keyTables('operator', 'rows', spec);
    backend.keyTables('other', 'rows', spec).open(0);
    const table = tables.open(0);
    for (const each of [1, 2, 3, 4]) table.slot(each);
    await moveAllOut(backend);
    await tables.prefetch!(table, [1], 0, 1);
    for (const each of [1, 2, 3, 3, 5]) table.find(each);
    expect(backend.syncReads('operator')).toBe(2);
    expect(backend.syncReads('other')).toBe(0);
    expect(backend.counts.syncReads).toBe(2);
  });

  test('says when only a barrier can free memory', () => {
    const store = new MemorySpillStore();
    const backend = new LevelBackend({
      ...{ store, memoryBytesMax: 1_000, groupCount, groups },
      tracking: 'tracked',
    });
    const spec = { numbers: [0], refs: [], shape: '', namespaceLength: 1 };
    const table = backend.keyTables('operator', 'rows', spec).open(0);
    table.slot(0);
    backend.relieve();
    expect(backend.needsBarrier).toBe(false);
    for (let each = 1; each < 100; each += 1) table.slot(each);
    expect(backend.relieve()).toBeUndefined();
    expect(backend.needsBarrier).toBe(true);
    // The first one takes all rows; should it be lost, they are needed once more.
    barrier(backend);
    backend.relieve();
    expect(backend.needsBarrier).toBe(true);
    barrier(backend);
    expect(backend.needsBarrier).toBe(false);
  });

  test('a store that fails is told by the next call between batches', async () => {
    const store = new MemorySpillStore();
    store.write = () => Promise.reject(new Error('disk gone'));
    const backend = new LevelBackend({ store, memoryBytesMax: 0, groupCount, groups });
    const spec = { numbers: [0], refs: [], shape: '', namespaceLength: 1 };
    const table = backend.keyTables('operator', 'rows', spec).open(0);
    const relieve = async (): Promise<void> => {
      for (let i = 0; i < 8; i += 1) {
        table.slot(i);
        await backend.relieve();
        await settled();
      }
    };
    await expect(relieve()).rejects.toThrow('disk gone');
  });

  test('a row that could not be read is in no later snapshot, whatever becomes of its record', async () => {
    const store = new MemorySpillStore();
    const backend = new LevelBackend({
      ...{ store, memoryBytesMax: 0, groupCount, groups },
      tracking: 'tracked',
    });
    const spec = { numbers: [0], refs: [], shape: '', namespaceLength: 1 };
    const table = backend.keyTables('operator', 'rows', spec).open(0);
    table.slot(1);
    await moveAllOut(backend);
    const read = store.getSync.bind(store);
    store.getSync = () => {
      throw new Error('disk gone');
    };
    expect(() => table.find(1)).toThrow('disk gone');
    store.getSync = read;
    expect(() => backend.freeze('operator')).toThrow('disk gone');
    expect(() => backend.relieve()).toThrow('disk gone');
  });

  test('rows leave memory for what their references and keys hold, however few they are', async () => {
    const large = 'x'.repeat(10_000);
    const rows = 1_000;
    const kinds = [
      { refs: [(): unknown => [large]], keyOf: (row: number): Key => row },
      { refs: [(): unknown => 0], keyOf: (row: number): Key => `${large} ${row}` },
    ];
    for (const { refs, keyOf } of kinds) {
      const store = new MemorySpillStore();
      const write = store.write.bind(store);
      const writes: number[] = [];
      store.write = (operations) => {
        writes.push(operations.length);
        return write(operations);
      };
      const memoryBytesMax = 2_000_000;
      const backend = new LevelBackend({
        ...{ store, memoryBytesMax, groupCount, groups },
        tracking: 'tracked',
      });
      const spec = { numbers: [0], refs, shape: '', namespaceLength: 1 };
      const table = backend.keyTables('operator', 'rows', spec).open(0);
      for (let row = 0; row < rows; row += 1) table.slot(keyOf(row));
      await moveAllOut(backend);
      expect(rows - backend.counts.rowsOutside).toBeLessThan(memoryBytesMax / large.length);
      expect(table.size).toBe(rows);
      // Nor are all of them on their way out at a time.
      expect(Math.max(...writes)).toBeLessThan(rows / 2);
    }
  });

  test('how large rows are is found anew as they grow', () => {
    const store = new MemorySpillStore();
    const memoryBytesMax = 1_000_000;
    const backend = new LevelBackend({ store, memoryBytesMax, groupCount, groups });
    const spec = { numbers: [], refs: [(): unknown => []], shape: '', namespaceLength: 1 };
    const table = backend.keyTables('operator', 'rows', spec).open(0);
    for (let row = 0; row < 100; row += 1) table.slot(row);
    backend.relieve();
    const { bytes } = backend.counts;
    expect(bytes).toBeLessThan(100_000);
    for (let row = 0; row < 100; row += 1) (table.refs[row] as string[]).push('x'.repeat(5_000));
    for (let call = 0; call < 2_000; call += 1) backend.relieve();
    expect(backend.counts.bytes).toBeGreaterThan(bytes + 100 * 4_000);
    expect(backend.counts.bytes).toBeLessThan(bytes + 100 * 6_000);
  });

  test('rows that a call waits for stay until it is made, whoever moves rows out meanwhile', async () => {
    const store = new MemorySpillStore();
    const memoryBytesMax = 100_000;
    const backend = new LevelBackend({
      ...{ store, memoryBytesMax, groupCount, groups },
      tracking: 'tracked',
    });
    const spec = { numbers: [0], refs: [], shape: '', namespaceLength: 1 };
    const tables = backend.keyTables('operator', 'rows', spec);
    const table = tables.open(0);
    const other = backend.keyTables('other', 'rows', spec).open(0);
    const keys = [1, 2, 3, 4];
    for (const each of keys) table.slot(each);
    /** The other operator makes rows, so that some have to leave, until all have been looked at. */
    const goOn = async (): Promise<void> => {
      for (let i = 0; i < 60; i += 1) {
        while (backend.counts.bytes <= memoryBytesMax * 1.1) other.slot(other.size);
        barrier(backend, ['operator', 'other']);
        await backend.relieve();
        await settled();
      }
    };
    await goOn();
    const read = heldBack(store);
    const reading = tables.prefetch!(table, keys, 0, keys.length);
    expect(reading).toBeDefined();
    await goOn();
    read();
    await reading;
    await goOn();
    for (const each of keys) slotTouched(table, each);
    expect(backend.syncReads('operator')).toBe(0);
    // Once they have been used they are rows like others.
    await goOn();
    for (const each of keys) table.find(each);
    expect(backend.syncReads('operator')).toBe(keys.length);
  });
});

function slotTouched(table: KeyTable, each: Key): number {
  const slot = table.slot(each);
  touchRow(table, slot);
  return slot;
}

/** From now on what the store reads is given out only after the returned function was called. */
function heldBack(store: MemorySpillStore): () => void {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const read = store.getMany.bind(store);
  store.getMany = async (keys) => {
    const values = await read(keys);
    await held;
    return values;
  };
  return () => release();
}

function barrier(backend: LevelBackend, operators = ['operator']): void {
  for (const operator of operators) backend.freeze(operator);
  while (backend.step(new DeltaSink(), 9) === 'more');
}

/** Two barriers make rows movable. */
async function moveAllOut(backend: LevelBackend): Promise<void> {
  for (let i = 0; i < 2; i += 1) barrier(backend);
  for (let i = 0; i < 4; i += 1) {
    await backend.relieve();
    await settled();
  }
  expect(backend.counts.rowsOutside).toBeGreaterThan(0);
}
