import assert from 'node:assert/strict';
import { keyGroupRange } from '@millrace/core/internal';
import type { BroadcastState, Key, StateDescriptor } from '@millrace/core/spi';
import { allGroups, type CreateBackend, freeze, groupCount, loadChain } from './state-rig.js';

const plain: StateDescriptor = { kind: 'broadcast', version: 1 };

async function rulesOf(create: CreateBackend, groups = allGroups, descriptor = plain) {
  const backend = await create({ tracking: 'tracked', groupCount, groups });
  const access = backend.operatorState('op', { rules: descriptor });
  return { backend, access, rules: access.handles.rules as BroadcastState<Key, unknown> };
}

const many = (value: string): [Key, unknown][] =>
  Array.from({ length: 1_200 }, (_, i) => [i % 2 === 0 ? i : `rule ${i}`, `${value} ${i}`]);

/** State of which all subtasks have the same copy. */
export const broadcastCases: Readonly<Record<string, (create: CreateBackend) => Promise<void>>> = {
  'broadcast state is restored in its order, as it was at the barrier': async (create) => {
    const { backend, rules } = await rulesOf(create);
    for (const [key, value] of many('first').toReversed()) rules.set(key, value);
    const snapshot = freeze(backend);
    snapshot.step(100);
    rules.set('new', 1);
    rules.delete(600);
    snapshot.step(100);
    rules.set(0, 'changed');
    rules.clear();
    const chain = [snapshot.finish()];
    const again = await rulesOf(create);
    await loadChain(again.backend, chain);
    assert.deepEqual([...again.rules.entries()], many('first').toReversed());
    chain.push(freeze(backend).finish());
    const empty = await rulesOf(create);
    await loadChain(empty.backend, chain);
    assert.deepEqual([empty.rules.size, [...empty.rules.entries()]], [0, []]);
  },
  'a snapshot of broadcast state says nothing where nothing changed, and the same again': async (
    create,
  ) => {
    const { backend, rules } = await rulesOf(create);
    const nothing = freeze(backend).finish();
    for (const [key, value] of many('all')) rules.set(key, value);
    rules.delete(2);
    rules.set(2, 'behind');
    const first = freeze(backend).finish();
    assert.deepEqual(freeze(backend).finish(), nothing);
    const again = await rulesOf(create);
    await loadChain(again.backend, [first]);
    assert.deepEqual(freeze(again.backend).finish(), nothing);
    again.backend.abandon();
    assert.deepEqual(freeze(again.backend).finish(), first);
  },
  'rollback takes back what an update did, and leaves each entry in its place': async (create) => {
    const { backend, access, rules } = await rulesOf(create);
    const before: [Key, unknown][] = ['a', 'b', 'c', 'd'].map((key, i) => [key, i]);
    for (const [key, value] of before) rules.set(key, value);
    const snapshot = freeze(backend);
    for (const act of [
      () => rules.delete('b'),
      () => rules.set('a', 7),
      () => rules.set('e', 8),
      () => rules.clear(),
    ]) {
      access.begin();
      rules.delete('c');
      act();
      rules.set('c', 9);
      rules.set('a', 10);
      access.rollback();
      assert.deepEqual([...rules.entries()], before);
      assert.equal(rules.size, 4);
    }
    access.begin();
    rules.set('e', 4);
    access.begin();
    access.rollback();
    assert.deepEqual([...rules.entries()], [...before, ['e', 4]]);
    const again = await rulesOf(create);
    await loadChain(again.backend, [snapshot.finish()]);
    assert.deepEqual([...again.rules.entries()], before);
  },
  'any subtask’s copy of broadcast state serves any subtask, and several are one': async (
    create,
  ) => {
    const halves = [0, 1].map((subtask) => keyGroupRange(subtask, 2, groupCount));
    const parts = [];
    for (const groups of halves) {
      const { backend, rules } = await rulesOf(create, groups);
      for (const [key, value] of many('same')) rules.set(key, value);
      parts.push({ groups, segment: freeze(backend).finish() });
    }
    for (const used of [parts.slice(0, 1), parts.slice(1), parts]) {
      for (const groups of [allGroups, ...halves]) {
        const { backend, rules } = await rulesOf(create, groups);
        for (const part of used) await loadChain(backend, [part.segment], groups, part.groups);
        assert.deepEqual([...rules.entries()], many('same'));
      }
    }
  },
  'values of broadcast state of another version are migrated, or refused': async (create) => {
    const { backend, rules } = await rulesOf(create);
    rules.set('a', 1);
    const chain = [freeze(backend).finish()];
    const migrate = (stored: number, version: number) => stored + version;
    const again = await rulesOf(create, allGroups, { ...plain, version: 2, migrate });
    await loadChain(again.backend, chain);
    assert.deepEqual([...again.rules.entries()], [['a', 2]]);
    again.rules.set('b', 5);
    chain.push(freeze(again.backend).finish());
    const last = await rulesOf(create, allGroups, { ...plain, version: 2, migrate });
    await loadChain(last.backend, chain);
    assert.deepEqual([...last.rules.entries()].flat(), ['a', 2, 'b', 5]);
    const refused = await rulesOf(create, allGroups, { ...plain, version: 3 });
    const code = 'ERR_STATE_INCOMPATIBLE';
    await assert.rejects(loadChain(refused.backend, chain), { code });
  },
};
