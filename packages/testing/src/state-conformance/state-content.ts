import assert from 'node:assert/strict';
import type { Key, KeyTables } from '@millrace/core/spi';
import { compareKeysOf } from './key-order.js';
import { idOf, type StateModel } from './state-model.js';
import type { StateRig } from './state-rig.js';

/** All that can be read of a rig is what the model has. */
export function assertContent(rig: StateRig, model: StateModel, keys: readonly Key[]): void {
  for (const key of keys) assertKeyed(rig, model, key);
  assertRules(rig, model, keys);
  for (const state of ['tables', 'numbers', 'pairs'] as const) {
    assertTables(rig[state], state, model);
  }
  for (const kind of ['event', 'processing'] as const) {
    const timers = model.timers.filter((timer) => timer.kind === kind);
    const service = rig.keyed[`${kind}Timers`];
    assert.equal(service.size, timers.length, `${kind} timers`);
    assert.equal(service.nextMs(), Math.min(Infinity, ...timers.map(({ atMs }) => atMs)));
  }
  assert.equal(rig.keyed.keyCount, keyCountOf(model), 'keys that have state');
}

function assertKeyed(rig: StateRig, model: StateModel, key: Key): void {
  const at = rig.at(key);
  const sorted = model.entries('sorted', key).toSorted(([a], [b]) => compareKeysOf(a, b));
  const found = {
    value: at.value.get(),
    box: at.box.get(),
    list: at.list.get(),
    map: [...at.map.entries()],
    boxes: [...at.boxes.entries()],
    sorted: [...at.sorted.range()],
    first: at.sorted.first(),
    last: at.sorted.last(),
    sizes: [at.map.size, at.boxes.size, at.sorted.size],
    sum: at.sum.get(),
    texts: at.texts.get(),
  };
  assert.deepStrictEqual(found, {
    value: model.get('value', key),
    box: model.get('box', key),
    list: model.get('list', key) ?? [],
    map: model.entries('map', key),
    boxes: model.entries('boxes', key),
    sorted,
    first: sorted[0],
    last: sorted.at(-1),
    sizes: (['map', 'boxes', 'sorted'] as const).map((name) => model.entries(name, key).length),
    sum: model.get('sum', key),
    texts: model.get<readonly string[]>('texts', key)?.join(),
  });
  assertLiving(rig, model, key);
}

function assertRules({ rules }: StateRig, model: StateModel, keys: readonly Key[]): void {
  assert.deepStrictEqual([...rules.entries()], model.rules);
  assert.equal(rules.size, model.rules.length);
  for (const key of keys) {
    const entry = model.rules.find(([other]) => idOf(other) === idOf(key));
    assert.deepStrictEqual([rules.has(key), rules.get(key)], [entry !== undefined, entry?.[1]]);
  }
}

function assertLiving(rig: StateRig, model: StateModel, key: Key): void {
  const { processingMs, watermarkMs } = model.time;
  const at = rig.ttlAt(key);
  const living = (name: string, nowMs: number) => model.living(name, key, nowMs);
  assert.deepStrictEqual(
    { value: at.ttlValue.get(), list: at.ttlList.get(), map: [...at.ttlMap.entries()] },
    {
      value: living('ttlValue', processingMs)[0]?.value,
      list: living('ttlList', processingMs).map(({ value }) => value),
      map: living('ttlMap', watermarkMs).map(({ key: entryKey, value }) => [entryKey, value]),
    },
  );
}

function assertTables(tables: KeyTables, state: string, model: StateModel): void {
  const found = new Map<string, Map<unknown, unknown>>();
  for (const namespace of tables.namespaces()) {
    const table = tables.open(...namespace);
    const rows = new Map<unknown, unknown>();
    for (let slot = 0; slot < table.high; slot += 1) {
      if (!table.isLive(slot)) continue;
      const key = table.keyAt(slot);
      assert.equal(table.find(key), slot);
      const { numberStride: ns, refStride: rs } = table;
      const numbers = [...table.numbers.subarray(slot * ns, (slot + 1) * ns)];
      const refs = table.refs.slice(slot * rs, (slot + 1) * rs);
      rows.set(idOf(key), { numbers, refs });
    }
    assert.equal(table.size, rows.size);
    // Whether a namespace without rows outlives a restore is left open.
    if (rows.size > 0) found.set(`${state} ${namespace.join()}`, rows);
  }
  const wanted = model.names().filter((name) => name.startsWith(`${state} `));
  assert.deepStrictEqual(
    found,
    new Map(
      wanted.map((name) => [
        name,
        new Map(model.keysOf(name).map((key) => [idOf(key), model.get(name, key)])),
      ]),
    ),
  );
}

const keyedNames = ['value', 'box', 'list', 'map', 'boxes', 'sorted', 'sum', 'texts'];

function keyCountOf(model: StateModel): number {
  const keys = keyedNames.flatMap((name) => model.keysOf(name));
  return new Set([...keys, ...model.timers.map(({ key }) => key)].map(idOf)).size;
}

/** The times of all key groups; a key for each is to be given. */
export function assertTimes(rig: StateRig, model: StateModel, keys: ReadonlyMap<number, Key>) {
  const times = [...keys].map(([group, key]) => [group, rig.times.of(key)]);
  assert.deepStrictEqual(
    times,
    [...keys].map(([group]) => [group, model.times[group]]),
  );
}
