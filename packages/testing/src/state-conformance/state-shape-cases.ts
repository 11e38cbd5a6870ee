import assert from 'node:assert/strict';
import type { StateDescriptor } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import { type CreateBackend, everyKind, freeze, type Handles, loadChain } from './state-rig.js';
import { rigOf, stateOf, tracked } from './state-subjects.js';

type Case = (create: CreateBackend) => Promise<void>;

const plus = (by: number) => (stored: number, version: number) => stored + by * version;

/** Values of other versions, and values that are changed in place. */
export const shapeCases: Readonly<Record<string, Case>> = {
  'values of an older version are migrated, each as its segment says': async (create) => {
    const set: Readonly<Record<string, (handle: never, value: number) => void>> = {
      value: (handle: { set(v: number): void }, value) => handle.set(value),
      list: (handle: { add(v: number): void }, value) => handle.add(value),
      map: (handle: { set(k: string, v: number): void }, value) => handle.set('k', value),
      sortedMap: (handle: { set(k: string, v: number): void }, value) => handle.set('k', value),
      reducing: (handle: { add(v: number): void }, value) => handle.add(value),
    };
    for (const kind of ['value', 'list', 'map', 'sortedMap', 'reducing'] as const) {
      const { reduce } = everyKind.sum;
      const of = (version: number): StateDescriptor => {
        return { kind, version, migrate: plus(100), reduce };
      };
      const first = await stateOf<never>(create, of(1));
      set[kind]!(first.at(1), 1);
      set[kind]!(first.at(2), 1);
      for (let key = 3; key < 9; key += 1) set[kind]!(first.at(key), 1);
      const chain = [freeze(first.backend).finish()];
      const second = await stateOf<never>(create, of(2));
      await loadChain(second.backend, chain);
      set[kind]!(second.at(2), 7);
      chain.push(freeze(second.backend).finish());
      const third = await stateOf<{ get(key: string): unknown }>(create, of(3));
      await loadChain(third.backend, chain);
      const read = (key: number): unknown => third.at(key).get('k');
      // The list and the sum had the migrated value when they were added to.
      const two = { list: [301, 207], reducing: 308 }[kind as string] ?? 207;
      assert.deepEqual([read(1), read(2)], [kind === 'list' ? [101] : 101, two], kind);
    }
  },
  'another version without migrate is refused': async (create) => {
    const first = await stateOf<Handles['value']>(create, { kind: 'value', version: 1 });
    first.at(1).set(1);
    const chain = [freeze(first.backend).finish()];
    const second = await stateOf(create, { kind: 'value', version: 2 });
    const refused = { code: 'ERR_STATE_INCOMPATIBLE' };
    await assert.rejects(loadChain(second.backend, chain), refused);
    const backend = await create(tracked);
    await assert.rejects(loadChain(backend, chain), refused);
  },
  'a migrate that throws refuses the restore, with the state it is of': async (create) => {
    const cause = new TypeError('no such field');
    const migrate = (): never => {
      throw cause;
    };
    for (const kind of ['value', 'list', 'map'] as const) {
      const first = await stateOf<Handles[typeof kind]>(create, { kind, version: 1 });
      if (kind === 'map') (first.at(1) as Handles['map']).set('a', 1);
      else (first.at(1) as Handles['value']).set([1]);
      const chain = [freeze(first.backend).finish()];
      const second = await stateOf(create, { kind, version: 2, migrate });
      const refused = { code: 'ERR_STATE_INCOMPATIBLE', operator: 'op', field: 's', cause };
      await assert.rejects(loadChain(second.backend, chain), refused);
    }
  },
  'a value changed in place is in the snapshot as it was at the barrier': async (create) => {
    const copy = (box: { n: number }) => ({ ...box });
    const first = await stateOf<{ add(v: object): void; get(): { n: number }[] }>(create, {
      kind: 'list',
      version: 1,
      copy,
    });
    first.at(1).add({ n: 1 });
    const snapshot = freeze(first.backend);
    first.at(1).get()[0]!.n = 2;
    const chain = [snapshot.finish()];
    const restore = async () => {
      const again = await stateOf<Handles['list']>(create, { kind: 'list', version: 1 });
      await loadChain(again.backend, chain);
      return again.at(1).get();
    };
    assert.deepEqual(await restore(), [{ n: 1 }]);
    chain.push(freeze(first.backend).finish());
    assert.deepEqual(await restore(), [{ n: 2 }]);
  },
  'a map whose values an author’s copy fails on is in the snapshot all the same': async (
    create,
  ) => {
    const rig = await rigOf(create);
    // Other keys, so that only what has changed is written.
    for (let key = 0; key < 50; key += 1) rig.at(key).boxes.set('a', [0]);
    const chain = [freeze(rig.backend).finish()];
    rig.at(1).boxes.set('a', [1]);
    rig.at(1).boxes.set('b', null as never);
    const snapshot = freeze(rig.backend);
    assert.throws(() => rig.at(1).boxes.set('a', [2]), TypeError);
    chain.push(snapshot.finish());
    const again = await rigOf(create);
    await again.load(chain);
    again.at(1).boxes.delete('b');
    assert.deepEqual([...again.at(1).boxes.entries()], [['a', [1]]]);
  },
  'of large maps a snapshot has what changed, also where each of them did': async (create) => {
    const rig = await rigOf(create);
    const entries = Array.from({ length: 10_000 }, (_, i) => i);
    for (const name of ['map', 'sorted'] as const) {
      for (const entry of entries) rig.at('k')[name].set(entry, 'as it was');
    }
    const chain = [rig.snapshot()];
    for (const name of ['map', 'sorted'] as const) {
      const state = rig.at('k')[name];
      for (let entry = 0; entry < 10_000; entry += 1_000) state.set(entry, 'changed');
      state.delete(7);
    }
    chain.push(rig.snapshot());
    assert.ok(chain[1]!.length < chain[0]!.length / 20, `${chain.map(({ length }) => length)}`);
    const again = await rigOf(create);
    await again.load(chain);
    const expected = entries
      .filter((entry) => entry !== 7)
      .map((entry) => [entry, entry % 1_000 === 0 ? 'changed' : 'as it was']);
    assert.deepEqual([...again.at('k').map.entries()], expected);
    assert.deepEqual([...again.at('k').sorted.range()], expected);
    // Everything is written again where it must be.
    assert.ok(again.fullSnapshot().length > chain[0]!.length / 2);
  },
  'what nobody declares cannot be loaded, and a barrier waits for the last': async (create) => {
    const rig = await rigOf(create);
    rig.at(1).value.set(1);
    rig.freeze();
    rig.at(1).value.set(2);
    assert.throws(() => rig.backend.freeze('keyed'), { code: 'ERR_INVARIANT' });
    rig.backend.abandon();
    const again = await rigOf(create);
    await again.load([rig.snapshot()]);
    assert.equal(again.at(1).value.get(), 2);
  },
  'what is gone with a lost snapshot is gone in the next one': async (create) => {
    for (const isWritten of [true, false]) {
      const rig = await rigOf(create);
      for (let namespace = 0; namespace < 3; namespace += 1) {
        for (let key = 0; key < 9; key += 1) rig.numbers.open(namespace).slot(key);
      }
      for (let key = 0; key < 9; key += 1) rig.at(key).map.set('a', key);
      const chain = [rig.snapshot()];
      rig.numbers.drop(1);
      rig.numbers.open(2).remove(rig.numbers.open(2).find(5));
      rig.at(3).map.clear();
      const lost = rig.freeze();
      if (isWritten) lost.finish();
      rig.numbers.drop(0);
      rig.backend.abandon();
      chain.push(rig.snapshot());
      const again = await rigOf(create);
      await again.load(chain);
      // Whether a namespace without rows outlives a restore is left open.
      const left = [...again.numbers.namespaces()].filter(([n]) => again.numbers.open(n!).size > 0);
      assert.deepEqual(left, [[2]]);
      assert.deepEqual([again.numbers.open(2).size, again.numbers.open(2).find(5)], [8, -1]);
      assert.equal(again.keyed.keyCount, 8);
    }
  },
  'an epoch counter that comes round loses nothing': async (create) => {
    const rig = await rigOf(create);
    const write = (key: number, value: number): void => {
      const table = rig.numbers.open(0);
      const slot = table.slot(key);
      touchRow(table, slot);
      table.numbers[slot * table.numberStride] = value;
      rig.at(key).value.set(value);
    };
    for (let key = 0; key < 9; key += 1) write(key, key);
    const chain = [rig.snapshot()];
    for (let i = 0; i < 17_000; i += 1) {
      write(i % 3, i);
      chain.push(rig.snapshot());
    }
    const again = await rigOf(create);
    // Snapshots of everything come in between, behind which the others do not matter.
    await again.load(chain);
    const table = again.numbers.open(0);
    const values = Array.from(
      { length: 9 },
      (_, key) => table.numbers[table.slot(key) * table.numberStride],
    );
    assert.deepEqual(values, [16_998, 16_999, 16_997, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual([again.at(0).value.get(), again.at(8).value.get()], [16_998, 8]);
  },
};
