import assert from 'node:assert/strict';
import type { StateDescriptor, TimerService } from '@millrace/core/spi';
import { someKeys } from './keyed-operations.js';
import { groupOf } from './state-model.js';
import {
  allGroups,
  type CreateBackend,
  freeze,
  groupCount,
  type Handles,
  StateRig,
} from './state-rig.js';
import { rigOf, stateOf, tracked } from './state-subjects.js';

type Case = (create: CreateBackend) => Promise<void>;

function fired(timers: TimerService): string[] {
  const all: string[] = [];
  for (let due = timers.takeDue(Infinity); due !== undefined; due = timers.takeDue(Infinity)) {
    all.push(`${due.name} ${String(due.key)} ${due.atMs}`);
  }
  return all;
}

/** What each kind of state does, without a snapshot. */
export const kindCases: Readonly<Record<string, Case>> = {
  'each key of each type has a state of its own': async (create) => {
    const rig = await rigOf(create);
    const keys = [...someKeys, '1', 1n, '', '\udc00', [1], ['1'], [[1]], false, new Date(0)];
    for (const [i, key] of keys.entries()) rig.at(key).value.set(i);
    for (const [i, key] of keys.entries()) assert.equal(rig.at(key).value.get(), i);
    assert.equal(rig.at(0).value.get(), rig.at(-0).value.get());
    assert.equal(rig.at(new Date(5)).value.get(), someKeys.length - 2);
    assert.equal(rig.keyed.keyCount, keys.length);
  },
  'a key whose states are all empty is forgotten': async (create) => {
    const rig = await rigOf(create);
    const at = rig.at('k');
    at.value.set(null);
    at.list.add(undefined);
    at.map.set('a', undefined);
    at.sum.add(1);
    assert.deepEqual([at.value.get(), at.map.has('a'), rig.keyed.keyCount], [null, true, 1]);
    at.value.clear();
    at.list.set([]);
    at.map.delete('a');
    assert.equal(rig.keyed.keyCount, 1);
    at.sum.clear();
    assert.equal(rig.keyed.keyCount, 0);
  },
  'a list that was given out does not grow': async (create) => {
    const { list } = (await rigOf(create)).at(1);
    list.add('a');
    const before = list.get();
    list.add('b');
    assert.deepEqual([before, list.get()], [['a'], ['a', 'b']]);
  },
  'a map iterates in the order in which keys were set first': async (create) => {
    const { map } = (await rigOf(create)).at(1);
    for (const key of ['c', 'a', 'b', 'a']) map.set(key, key);
    map.delete('c');
    map.set('c', 'again');
    assert.deepEqual([...map.entries()].flat(), ['a', 'a', 'b', 'b', 'c', 'again']);
  },
  'also after a restore, where a snapshot has an entry that was deleted and set again': async (
    create,
  ) => {
    const rig = await rigOf(create);
    // Other keys, so that only what has changed is written.
    for (let key = 0; key < 50; key += 1) {
      for (const entry of ['a', 'b', 'c']) rig.at(key).map.set(entry, entry);
    }
    const chain = [freeze(rig.backend).finish()];
    rig.at(1).map.delete('c');
    rig.at(1).map.delete('a');
    rig.at(1).map.set('a', 'again');
    const before = [...rig.at(1).map.entries()].flat();
    chain.push(freeze(rig.backend).finish());
    const again = await rigOf(create);
    await again.load(chain);
    assert.deepEqual(before, ['b', 'b', 'a', 'again']);
    assert.deepEqual([...again.at(1).map.entries()].flat(), before);
  },
  'what is visited may be deleted': async (create) => {
    const { map, sorted } = (await rigOf(create)).at(1);
    for (const state of [map, sorted]) for (const key of [1, 2, 3]) state.set(key, key);
    for (const [key] of map.entries()) map.delete(key);
    for (const [key] of sorted.range()) sorted.delete(key);
    assert.deepEqual([map.size, sorted.size], [0, 0]);
    for (const key of [1, 2, 3]) map.set(key, key);
    let visited = 0;
    for (const _ of map.entries()) {
      visited += 1;
      map.clear();
    }
    assert.equal(visited, 1);
  },
  'a sorted map gives ranges in the order of its keys': async (create) => {
    const { sorted } = (await rigOf(create)).at(1);
    const inOrder = [-Infinity, -1.5, 0, 2, 10, Infinity, NaN, 2n, '', '\u0000', '10', '2', 'a'];
    for (const key of inOrder.toReversed()) sorted.set(key, 1);
    assert.deepEqual(
      [...sorted.range()].map(([key]) => key),
      inOrder,
    );
    assert.deepEqual(
      [...sorted.range(0, 10)].map(([key]) => key),
      [0, 2],
    );
    assert.deepEqual([sorted.first()?.[0], sorted.last()?.[0]], [-Infinity, 'a']);
    sorted.delete(NaN);
    sorted.deleteRange(undefined, 10);
    sorted.deleteRange('10');
    assert.deepEqual(
      [...sorted.range()].map(([key]) => key),
      [10, Infinity, 2n, '', '\u0000'],
    );
    sorted.set(NaN, 1);
    assert.equal([...sorted.range()].length, 6);
    sorted.deleteRange();
    assert.deepEqual([sorted.size, sorted.first(), sorted.last()], [0, undefined, undefined]);
  },
  'a reducing state folds, also what is null': async (create) => {
    const reduce = (a: unknown, b: unknown): unknown => (a === null ? 'after null' : b);
    const { at } = await stateOf<Handles['sum']>(create, { kind: 'reducing', version: 1, reduce });
    assert.equal(at(1).get(), undefined);
    at(1).add(null as never);
    assert.equal(at(1).get(), null);
    at(1).add(5);
    assert.equal(at(1).get(), 'after null');
    at(1).clear();
    assert.equal(at(1).get(), undefined);
  },
  'an aggregating state gives its result': async (create) => {
    const rig = await rigOf(create);
    assert.equal(rig.at(1).texts.get(), undefined);
    rig.at(1).texts.add('a');
    rig.at(1).texts.add('b');
    rig.at(2).texts.add('c');
    assert.deepEqual([rig.at(1).texts.get(), rig.at(2).texts.get()], ['a,b', 'c']);
  },
  'timers fire by time, then in the order in which they were set': async (create) => {
    const rig = await rigOf(create);
    for (const [key, name, atMs] of [
      ['x', 'a', 7],
      ['y', 'b', 5],
      ['x', 'b', 5],
      ['y', 'a', 5],
      ['y', 'a', 7],
      ['x', 'a', 5],
      ['x', 'b', 5],
    ] as const) {
      rig.keyed.setKey(key);
      rig.timers.event[name]!.set(atMs);
    }
    const chain = [rig.snapshot()];
    const again = await rigOf(create);
    await again.load(chain);
    const order = ['b y 5', 'b x 5', 'a y 5', 'a x 5', 'a z 5', 'a x 7', 'a y 7'];
    for (const { keyed, timers } of [rig, again]) {
      keyed.setKey('z');
      timers.event.a!.set(5);
      assert.equal(keyed.eventTimers.size, 7);
      assert.equal(keyed.eventTimers.takeDue(5), undefined);
      assert.deepEqual(fired(keyed.eventTimers), order);
    }
  },
  'a timer that was deleted or fired does not come back with a restore': async (create) => {
    const rig = await rigOf(create);
    const { a } = rig.timers.event;
    for (let key = 0; key < 9; key += 1) {
      rig.keyed.setKey(key);
      for (const atMs of [1, 2, 3]) a!.set(10 * key + atMs);
    }
    const chain = [rig.snapshot()];
    rig.keyed.eventTimers.takeDue(2);
    rig.keyed.setKey(4);
    a!.delete(42);
    chain.push(rig.snapshot());
    const again = await rigOf(create);
    await again.load(chain);
    const times = fired(again.keyed.eventTimers).map((each) => each.split(' ')[2]);
    assert.equal(times.length, 25);
    assert.deepEqual([times[0], times.includes('42'), times.includes('41')], ['2', false, true]);
  },
  'nobody can tell a timer without a time': async (create) => {
    const rig = await rigOf(create);
    rig.keyed.setKey(1);
    for (const atMs of [NaN, Infinity, 0.5]) {
      assert.throws(() => rig.timers.event.a!.set(atMs), { code: 'ERR_TIMER_INVALID' });
    }
  },
  'key groups have times of their own after a restore of parts': async (create) => {
    const parts = [
      { first: 0, last: 1, timeMs: 10 },
      { first: 2, last: 5, timeMs: 12 },
      { first: 6, last: 7, timeMs: 11 },
    ];
    const whole = await rigOf(create);
    for (const { timeMs, ...groups } of parts) {
      const part = new StateRig(await create({ ...tracked, groups }));
      part.times.advance(timeMs);
      await whole.load([part.snapshot()], allGroups, groups);
    }
    const timeOf = (key: number) => parts.find(({ last }) => groupOf(key) <= last)!.timeMs;
    const keys = Array.from({ length: 40 }, (_, key) => key);
    const read = () => keys.map((key) => whole.times.of(key));
    assert.deepEqual([whole.times.lowest, whole.times.highest], [10, 12]);
    assert.deepEqual(read(), keys.map(timeOf));
    whole.times.advance(11);
    assert.deepEqual(whole.times.lowest, 11);
    assert.deepEqual(
      read(),
      keys.map((key) => Math.max(timeOf(key), 11)),
    );
  },
  'a backend that tracks nothing keeps state alike': async (create) => {
    const rig = new StateRig(await create({ groupCount, groups: allGroups }));
    assert.equal(rig.backend.tracksChanges, false);
    rig.at(1).map.set('a', 1);
    rig.at(1).sorted.set('a', 1);
    rig.at(1).list.add(1);
    const table = rig.numbers.open(1);
    table.numbers[table.slot(5) * table.numberStride] = 7;
    assert.equal(table.epoch, 0);
    assert.deepEqual([...rig.at(1).map.entries()], [['a', 1]]);
  },
};

/** What a failing record did is taken back. */
export const undoCases: Readonly<Record<string, Case>> = {
  'rollback takes back what was done since begin, in every kind': async (create) => {
    const rig = await rigOf(create);
    const fill = (): void => {
      const at = rig.at(1);
      at.value.set('v');
      at.box.set([1]);
      at.list.set([1]);
      for (const key of ['x', 'y', 'z']) at.map.set(key, key);
      at.boxes.set('x', [1]);
      at.sorted.set(1, 1);
      at.sum.add(1);
      at.texts.add('a');
    };
    const read = () => {
      const at = rig.at(1);
      return structuredClone([
        [at.value.get(), at.box.get(), at.list.get(), at.sum.get(), at.texts.get()],
        [[...at.map.entries()], [...at.boxes.entries()], [...at.sorted.range()]],
      ]);
    };
    fill();
    const before = read();
    rig.keyed.begin();
    const at = rig.at(1);
    at.value.clear();
    at.box.get()!.push(2);
    at.list.add(2);
    at.map.delete('y');
    at.map.set('y', 'behind');
    at.map.clear();
    at.boxes.get('x')!.push(2);
    for (const [, box] of at.boxes.entries()) box.push(3);
    at.sorted.deleteRange();
    at.sum.add(5);
    at.texts.add('b');
    rig.keyed.rollback();
    assert.deepEqual(read(), before);
    for (const [, entry] of Object.entries(rig.handles)) entry.clear();
    rig.keyed.begin();
    fill();
    rig.keyed.rollback();
    assert.equal(rig.keyed.keyCount, 0);
  },
  'a map whose end was taken back is whole in the snapshots to come': async (create) => {
    const rig = await rigOf(create);
    for (let key = 0; key < 9; key += 1) {
      for (const entry of ['a', 'b', 'c']) rig.at(key).map.set(entry, key);
    }
    const chain = [rig.snapshot()];
    rig.keyed.begin();
    rig.at(1).map.clear();
    rig.keyed.rollback();
    rig.keyed.begin();
    for (const entry of ['a', 'b', 'c']) rig.at(2).map.delete(entry);
    rig.keyed.rollback();
    chain.push(rig.snapshot());
    rig.keyed.begin();
    rig.at(1).map.clear();
    rig.keyed.rollback();
    // Kept aside this time: it is changed before it is written.
    const snapshot = rig.freeze();
    rig.at(1).map.set('d', 1);
    chain.push(snapshot.finish());
    const again = await rigOf(create);
    await again.load(chain);
    for (const key of [1, 2]) {
      assert.deepEqual([...again.at(key).map.entries()].flat(), ['a', key, 'b', key, 'c', key]);
    }
  },
  'values changed in place are taken back by their copy': async (create) => {
    const descriptor: StateDescriptor = {
      kind: 'list',
      version: 1,
      copy: (box: { n: number }) => ({ ...box }),
    };
    const { access, at } = await stateOf<{ add(v: object): void; get(): { n: number }[] }>(
      create,
      descriptor,
    );
    at(1).add({ n: 1 });
    access.begin();
    at(1).get()[0]!.n = 2;
    at(1).get()[0]!.n = 3;
    access.rollback();
    assert.deepEqual(at(1).get(), [{ n: 1 }]);
  },
};
