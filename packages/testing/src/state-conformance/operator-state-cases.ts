import assert from 'node:assert/strict';
import { type KeyGroupRange, keyGroupRange } from '@millrace/core/internal';
import type { OperatorListState, StateDescriptor } from '@millrace/core/spi';
import {
  allGroups,
  type CreateBackend,
  freeze,
  groupCount,
  loadChain,
  type Segment,
} from './state-rig.js';

const split: StateDescriptor = { kind: 'operatorList', version: 1, redistribute: 'split' };

/** The list of one subtask of an operator without a key. */
async function listOf(create: CreateBackend, groups = allGroups, descriptor = split) {
  const backend = await create({ tracking: 'tracked', groupCount, groups });
  const access = backend.operatorState('op', { list: descriptor });
  return { backend, access, list: access.handles.list as OperatorListState<unknown> };
}

interface Part {
  readonly groups: KeyGroupRange;
  readonly segment: Segment;
}

/** Parts of a list of the numbers below `count`, written by several subtasks. */
async function partsOf(create: CreateBackend, count: number, parallelism: number) {
  const parts: Part[] = [];
  for (let subtask = 0; subtask < parallelism; subtask += 1) {
    const groups = keyGroupRange(subtask, parallelism, groupCount);
    const { backend, list } = await listOf(create, groups);
    for (let i = subtask; i < count; i += parallelism) list.add(i);
    parts.push({ groups, segment: freeze(backend).finish() });
  }
  return parts;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sorted = (list: readonly unknown[]): unknown[] => {
  return (list as number[]).toSorted((a, b) => a - b);
};

/** State of operators without a key. */
export const operatorStateCases: Readonly<
  Record<string, (create: CreateBackend) => Promise<void>>
> = {
  'a list is restored in its order, as it was at the barrier': async (create) => {
    const { backend, list } = await listOf(create);
    assert.deepEqual(list.get(), []);
    list.set(numbers(1_200));
    const snapshot = freeze(backend);
    list.add('later');
    snapshot.step(100);
    list.set(['other']);
    const chain = [snapshot.finish()];
    const again = await listOf(create);
    await loadChain(again.backend, chain);
    assert.deepEqual(again.list.get(), numbers(1_200));
    chain.push(freeze(backend).finish());
    const last = await listOf(create);
    await loadChain(last.backend, chain);
    assert.deepEqual(last.list.get(), ['other']);
    last.list.set([]);
    chain.push(freeze(last.backend).finish());
    const empty = await listOf(create);
    await loadChain(empty.backend, chain);
    assert.deepEqual(empty.list.get(), []);
  },
  'elements are split evenly over another number of subtasks': async (create) => {
    for (const [from, to] of [
      [1, 4],
      [4, 1],
      [3, 2],
      [2, 5],
    ] as const) {
      const parts = await partsOf(create, 800, from);
      const all: unknown[] = [];
      for (let subtask = 0; subtask < to; subtask += 1) {
        const groups = keyGroupRange(subtask, to, groupCount);
        const { backend, list } = await listOf(create, groups);
        for (const part of parts) await loadChain(backend, [part.segment], groups, part.groups);
        const share = list.get().length / (800 / to);
        assert.ok(share > 0.5 && share < 1.7, `${share} of an even share, ${from} to ${to}`);
        all.push(...list.get());
      }
      assert.deepEqual(sorted(all), numbers(800));
    }
  },
  'who reads all key groups has the elements of all subtasks': async (create) => {
    const parts = await partsOf(create, 50, 3);
    const union: StateDescriptor = { ...split, redistribute: 'union' };
    const { backend, list } = await listOf(create, { first: 0, last: 1 }, union);
    for (const part of parts) await loadChain(backend, [part.segment], allGroups, part.groups);
    assert.deepEqual(sorted(list.get()), numbers(50));
    const segment = freeze(backend).finish();
    backend.abandon();
    const again = await listOf(create, { first: 0, last: 1 }, union);
    await loadChain(again.backend, [segment, freeze(backend).finish()]);
    assert.deepEqual(again.list.get(), list.get());
  },
  'rollback takes back what was added and set': async (create) => {
    const { access, list, backend } = await listOf(create);
    list.set([1, 2]);
    const snapshot = freeze(backend);
    access.begin();
    list.add(3);
    list.set([]);
    list.add(4);
    access.rollback();
    assert.deepEqual(list.get(), [1, 2]);
    list.add(5);
    assert.deepEqual(list.get(), [1, 2, 5]);
    const again = await listOf(create);
    await loadChain(again.backend, [snapshot.finish()]);
    assert.deepEqual(again.list.get(), [1, 2]);
  },
  'elements of another version are migrated': async (create) => {
    const { backend, list } = await listOf(create);
    list.add(1);
    const migrate = (stored: number, version: number) => stored + version;
    const again = await listOf(create, allGroups, { ...split, version: 2, migrate });
    await loadChain(again.backend, [freeze(backend).finish()]);
    assert.deepEqual(again.list.get(), [2]);
  },
};
