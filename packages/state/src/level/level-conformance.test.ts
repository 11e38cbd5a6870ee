import { decodeKey } from '@millrace/core/internal';
import type { KeyTables } from '@millrace/core/spi';
import { stateBackendConformance } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import type { HeapKeyTable } from '../heap-key-table.js';
import type { StateBackendOptions } from '../snapshot-state-backend.js';
import { LevelBackend } from './level-backend.js';
import { MemorySpillStore } from './memory-spill-store.js';
import type { OutsideRows } from './outside-rows.js';

let rowsWritten = 0;

/**
 * A backend that moves out what it may with each step of a snapshot, and brings all back where the
 * suite looks at all rows as they lie in memory, or wants a snapshot of all of them.
 */
function restless(options: StateBackendOptions): LevelBackend {
  const store = new MemorySpillStore();
  const written = keysWritten(store);
  const backend = new LevelBackend({ ...options, store, memoryBytesMax: 200 });
  const states: KeyTables[] = [];
  const recall = (): void => {
    const tables = states.flatMap((state) =>
      [...state.namespaces()].map((namespace) => state.open(...namespace) as HeapKeyTable),
    );
    for (const key of written) {
      const bytes = Buffer.from(key, 'latin1');
      const number = bytes.readUInt32BE();
      const table = tables.find(({ outside }) => (outside as OutsideRows).number === number);
      table?.find(decodeKey(bytes.subarray(4)));
    }
  };
  const { keyTables, step, freeze, load, abandon } = LevelBackend.prototype;
  const relieve = (): void => {
    backend.relieve()?.catch(() => undefined);
    rowsWritten += backend.counts.writtenRows;
  };
  backend.keyTables = (...declared) => {
    const state = keyTables.apply(backend, declared);
    states.push(state);
    return {
      open: (...namespace) => state.open(...namespace),
      drop: (...namespace) => state.drop(...namespace),
      namespaces: () => {
        recall();
        return state.namespaces();
      },
    };
  };
  backend.step = (...given) => {
    relieve();
    return step.apply(backend, given);
  };
  backend.freeze = (...given) => {
    relieve();
    freeze.apply(backend, given);
  };
  backend.load = (...given) => {
    if (given[1].kind === 'drop') recall();
    load.apply(backend, given);
    if (given[1].kind !== 'drop') relieve();
  };
  backend.abandon = () => {
    recall();
    abandon.apply(backend);
  };
  return backend;
}

/** Keys that were ever written to the store. */
function keysWritten(store: MemorySpillStore): ReadonlySet<string> {
  const keys = new Set<string>();
  const write = store.write.bind(store);
  store.write = (operations) => {
    for (const { key } of operations) keys.add(Buffer.from(key).toString('latin1'));
    return write(operations);
  };
  return keys;
}

describe('the level backend', () => {
  for (const { name, run } of stateBackendConformance('level', restless)) {
    // It always tracks when rows are touched: which rows are cold is seen by it.
    const asserts = name.includes('tracks nothing') ? test.skip : test;
    asserts(name, { timeout: 120_000 }, run);
  }

  test('has moved rows out in all this', () => {
    expect(rowsWritten).toBeGreaterThan(1_000);
  });
});
