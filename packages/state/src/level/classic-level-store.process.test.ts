import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { touchRow } from '@millrace/core/spi';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClassicLevelStore } from './classic-level-store.js';
import { LevelBackend } from './level-backend.js';
import { groupCount, groups } from './level-rig.js';
import { rangeOf } from './row-codec.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-level-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bytes = (...list: number[]): Uint8Array => Buffer.from(list);
const put = (key: Uint8Array, value: Uint8Array) => ({ type: 'put', key, value }) as const;

describe('rows in LevelDB', () => {
  test('are read alone, together and in pages, and cleared by table', async () => {
    const store = new ClassicLevelStore(join(folder, 'rows'));
    await store.open();
    const rows = [0, 1, 2].map((i) => put(bytes(0, 0, 0, 7, 255, i), bytes(i, 255)));
    await store.write([...rows, put(bytes(0, 0, 0, 8, 0), bytes(9))]);
    await store.write([{ type: 'del', key: rows[1]!.key }]);
    expect(store.getSync(rows[0]!.key)).toEqual(bytes(0, 255));
    expect(store.getSync(rows[1]!.key)).toBeUndefined();
    expect(await store.getMany(rows.map(({ key }) => key))).toEqual([
      bytes(0, 255),
      undefined,
      bytes(2, 255),
    ]);
    const pages = store.pages(rangeOf(7), 1);
    expect((await pages.next()).value).toEqual([[rows[0]!.key, bytes(0, 255)]]);
    await pages.return(undefined);
    await store.clear(rangeOf(7));
    expect(store.getSync(rows[0]!.key)).toBeUndefined();
    expect(store.getSync(bytes(0, 0, 0, 8, 0))).toEqual(bytes(9));
    await store.close();
  });

  test('are gone when the folder is opened again', async () => {
    const first = new ClassicLevelStore(join(folder, 'rows'));
    await first.open();
    await first.write([put(bytes(1), bytes(2))]);
    await first.close();
    const second = new ClassicLevelStore(join(folder, 'rows'));
    await second.open();
    expect(second.getSync(bytes(1))).toBeUndefined();
    await second.close();
  });

  test('say what went wrong', async () => {
    const store = new ClassicLevelStore(join(folder, 'rows'));
    expect(() => store.getSync(bytes(1))).toThrow(/while it is not open/);
    await expect(new ClassicLevelStore('/dev/null/rows').open()).rejects.toMatchObject({
      code: 'ERR_STORAGE_FAILED',
    });
  });
});

test('a table of 100,000 rows with room for a few thousand keeps its counts', async () => {
  const store = new ClassicLevelStore(join(folder, 'rows'));
  const backend = new LevelBackend({ store, memoryBytesMax: 200_000, groupCount, groups });
  await backend.open();
  const spec = { numbers: [0], refs: [() => ({})], shape: 'n', namespaceLength: 1 };
  const tables = backend.keyTables('operator', 'rows', spec);
  const table = tables.open(0);
  const keys = Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? i : `key ${i}`));
  for (let round = 1; round <= 3; round += 1) {
    for (let from = 0; from < keys.length; from += 500) {
      await tables.prefetch!(table, keys, from, from + 500);
      for (let i = from; i < from + 500; i += 1) {
        const slot = table.slot(keys[i]!);
        touchRow(table, slot);
        table.numbers[slot * table.numberStride]! += round;
        table.refs[slot] = { round, text: String(keys[i]) };
      }
      await backend.relieve();
    }
  }
  expect(table.size).toBe(keys.length);
  expect(backend.counts.rowsOutside).toBeGreaterThan(90_000);
  expect(backend.counts.syncReads).toBe(0);
  for (const key of [0, 'key 1', 99_998]) {
    const slot = table.find(key);
    expect(table.numbers[slot * table.numberStride]).toBe(6);
    expect(table.refs[slot]).toEqual({ round: 3, text: String(key) });
  }
  await backend.close();
});
