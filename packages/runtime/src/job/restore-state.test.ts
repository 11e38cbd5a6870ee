import { type KeyGroupRange, keyGroupOf, keyGroupRange } from '@millrace/core/internal';
import type {
  BroadcastState,
  KeyedStateAccess,
  KeyGroupTimes,
  KeyTables,
  MapState,
  OperatorListState,
  Timer,
  ValueState,
} from '@millrace/core/spi';
import { HeapBackend } from '@millrace/state';
import { SegmentWriter } from '@millrace/state/internal';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { folderStores } from '../checkpoint/folder-stores.js';
import type { Manifest, SegmentRef, TaskPart } from '../checkpoint/manifest.js';
import { writeBlob } from '../checkpoint/manifest-io.js';
import { readStateRows } from '../inspect/state-rows.js';
import { chainToFollow, declaredStates, restoreState } from './restore-state.js';

const groupCount = 256;
const all = keyGroupRange(0, 1, groupCount);
const halves = [keyGroupRange(0, 2, groupCount), keyGroupRange(1, 2, groupCount)] as const;

const isIn = (key: number | string, { first, last }: KeyGroupRange): boolean => {
  const group = keyGroupOf(key, groupCount);
  return group >= first && group <= last;
};

/** Numbers and texts, of which some are taken out of the state again. */
const keys = Array.from({ length: 600 }, (_, i) => (i % 3 === 0 ? `key-${i}` : i));
const isRemoved = (key: number | string): boolean => keys.indexOf(key) % 5 === 4;

function snapshotOf(backend: HeapBackend): Uint8Array {
  for (const operator of backend.operators()) backend.freeze(operator);
  const writer = new SegmentWriter();
  const sink = {
    layout: (...args: Parameters<SegmentWriter['layout']>) => writer.layout(...args),
    add: (...args: Parameters<SegmentWriter['add']>) => writer.add(...args),
    drop: (layout: number, namespace: readonly number[]) => writer.add(layout, 'drop', namespace),
  };
  while (backend.step(sink, 100) === 'more');
  writer.finish();
  return Buffer.concat(writer.takeChunks());
}

/** State of every kind that a task has, with one key after another changed in it. */
class TaskState {
  readonly backend: HeapBackend;
  readonly groups: KeyGroupRange;
  private readonly keyed: KeyedStateAccess;
  private readonly value: ValueState<string>;
  private readonly map: MapState<number, string>;
  private readonly rest: Timer;
  private readonly tables: KeyTables;
  private readonly fired: KeyGroupTimes;
  private readonly split: OperatorListState<string>;
  private readonly union: OperatorListState<string>;
  readonly rules: BroadcastState<number, string>;

  constructor(groups: KeyGroupRange) {
    this.groups = groups;
    this.backend = new HeapBackend({ tracking: 'tracked', groupCount, groups });
    const time = { recordMs: () => 0, watermarkMs: () => 0, processingMs: () => 0 };
    const states = {
      value: { kind: 'value', version: 1 },
      map: { kind: 'map', version: 1 },
    } as const;
    this.keyed = this.backend.keyedState('process', states, time);
    this.value = this.keyed.handles.value as ValueState<string>;
    this.map = this.keyed.handles.map as MapState<number, string>;
    this.rest = this.keyed.eventTimers.handle('rest');
    const spec = { numbers: [], refs: [() => ''], shape: 'text', namespaceLength: 1 };
    this.tables = this.backend.keyTables('window', 'rows', spec);
    this.fired = this.backend.keyGroupTimes('window', 'fired');
    const { handles } = this.backend.operatorState('lists', {
      split: { kind: 'operatorList', version: 1, redistribute: 'split' },
      union: { kind: 'operatorList', version: 1, redistribute: 'union' },
    });
    this.split = handles.split as OperatorListState<string>;
    this.union = handles.union as OperatorListState<string>;
    const shared = this.backend.operatorState('rules', {
      rules: { kind: 'broadcast', version: 1 },
    });
    this.rules = shared.handles.rules as BroadcastState<number, string>;
  }

  /** What a task does ahead of its first checkpoint. */
  fill(): void {
    for (const key of this.ownKeys()) {
      this.keyed.setKey(key);
      this.value.set(`first of ${key}`);
      this.map.set(1, `one of ${key}`);
      this.rest.set(1_000 + keys.indexOf(key));
      for (const slice of [10, 20]) this.row(slice, key, `${slice} of ${key}`);
    }
    this.fired.advance(500);
    this.split.add(`split of ${this.groups.first}`);
    this.union.add(`union of ${this.groups.first}`);
    for (const rule of [3, 1, 2]) this.rules.set(rule, `first of ${rule}`);
  }

  /** What it does between the first and the second: changes, additions, removals. */
  change(): void {
    for (const key of this.ownKeys()) {
      this.keyed.setKey(key);
      if (isRemoved(key)) {
        this.value.clear();
        this.map.clear();
        this.rest.clear();
      } else if (keys.indexOf(key) % 2 === 0) {
        this.value.set(`second of ${key}`);
        this.map.set(2, `two of ${key}`);
      }
    }
    this.rules.delete(3);
    this.rules.set(1, 'second of 1');
    this.rules.set(4, 'first of 4');
    this.tables.drop(10);
    this.fired.advance(900);
  }

  snapshot(): Uint8Array {
    return snapshotOf(this.backend);
  }

  /** A line for all that it has; timers are taken out. */
  content(): string[] {
    const lines: string[] = [];
    for (const key of keys) {
      this.keyed.setKey(key);
      const values = [this.value.get(), ...this.map.entries()].filter((v) => v !== undefined);
      if (values.length > 0) lines.push(`${key}: ${JSON.stringify(values)}`);
      if (isIn(key, this.groups)) lines.push(`${key} has fired until ${this.fired.of(key)}`);
    }
    for (const [slice] of this.tables.namespaces()) {
      const table = this.tables.open(slice!);
      for (const key of keys) {
        const slot = table.find(key);
        if (slot >= 0) lines.push(`row ${slice}, ${key}: ${table.refs[slot * table.refStride]}`);
      }
    }
    for (let due = this.timer(); due !== undefined; due = this.timer()) {
      lines.push(`timer ${due.atMs}: ${String(due.key)}`);
    }
    return [...lines, ...this.split.get()].sort();
  }

  unionList(): string[] {
    return [...this.union.get()].sort();
  }

  get keyCount(): number {
    return this.keyed.keyCount;
  }

  private timer() {
    return this.keyed.eventTimers.takeDue(Infinity);
  }

  private row(slice: number, key: number | string, text: string): void {
    const table = this.tables.open(slice);
    const slot = table.slot(key);
    table.refs[slot * table.refStride] = text;
  }

  private ownKeys(): readonly (number | string)[] {
    return keys.filter((key) => isIn(key, this.groups));
  }
}

/** A checkpoint of tasks with these key groups, each with a chain of two segments. */
async function checkpointOf(ranges: readonly KeyGroupRange[]) {
  const { checkpoints: store } = folderStores(virtualEnv(), '/job');
  const tasks: TaskPart[] = [];
  const written: TaskState[] = [];
  for (const [index, keyGroups] of ranges.entries()) {
    const state = new TaskState(keyGroups);
    const chain: SegmentRef[] = [];
    for (const act of [() => state.fill(), () => state.change()]) {
      act();
      const name = `segments/${index}-${chain.length}`;
      chain.push(await writeBlob(store, name, state.snapshot()));
    }
    tasks.push({ task: `task-${index}`, keyGroups, chain });
    written.push(state);
  }
  const states = declaredStates(written[0]!.backend);
  return { store, written, manifest: { tasks, states } as unknown as Manifest };
}

async function restored(
  { store, manifest }: Awaited<ReturnType<typeof checkpointOf>>,
  keyGroups: KeyGroupRange,
): Promise<TaskState> {
  const state = new TaskState(keyGroups);
  const pause = async (): Promise<void> => undefined;
  const { backend } = state;
  await restoreState({ manifest, store, backend, keyGroups, chain: 'new', pause });
  return state;
}

const keptKeys = keys.filter((key) => !isRemoved(key));

describe('a checkpoint of one task', () => {
  test('gives one task all', async () => {
    const checkpoint = await checkpointOf([all]);
    const state = await restored(checkpoint, all);
    expect(state.keyCount).toBe(keptKeys.length);
    const content = state.content();
    expect(content).toEqual(checkpoint.written[0]!.content());
    expect(content).toContain('1 has fired until 900');
    expect(content).toContain(`${keys[2]}: ["second of 2",[1,"one of 2"],[2,"two of 2"]]`);
    const count = (start: string) => content.filter((line) => line.startsWith(start)).length;
    expect([count('timer'), count('row 20'), count('row 10')]).toEqual([keptKeys.length, 600, 0]);
  });

  test('gives two tasks the keys of their key groups each, and both together all', async () => {
    const checkpoint = await checkpointOf([all]);
    const states = await Promise.all(halves.map((half) => restored(checkpoint, half)));
    for (const state of states) {
      const own = keptKeys.filter((key) => isIn(key, state.groups));
      expect(state.keyCount).toBe(own.length);
      expect(own.length).toBeGreaterThan(keptKeys.length / 3);
      expect(state.unionList()).toEqual(['union of 0']);
    }
    const [one, other] = states.map((state) => state.content());
    expect(one!.filter((line) => other!.includes(line))).toEqual([]);
    expect([...one!, ...other!].sort()).toEqual(checkpoint.written[0]!.content());
  });
});

describe('a checkpoint of two tasks', () => {
  test('gives one task all', async () => {
    const checkpoint = await checkpointOf(halves);
    const state = await restored(checkpoint, all);
    expect(state.keyCount).toBe(keptKeys.length);
    expect(state.unionList()).toEqual(['union of 0', 'union of 128']);
    expect(state.content()).toEqual(checkpoint.written.flatMap((task) => task.content()).sort());
  });

  test('gives three tasks all between them', async () => {
    const checkpoint = await checkpointOf(halves);
    const thirds = [0, 1, 2].map((subtask) => keyGroupRange(subtask, 3, groupCount));
    const states = await Promise.all(thirds.map((third) => restored(checkpoint, third)));
    expect(states.flatMap((state) => state.content()).sort()).toEqual(
      checkpoint.written.flatMap((task) => task.content()).sort(),
    );
  });
});

describe('broadcast state', () => {
  const rules = [
    [1, 'second of 1'],
    [2, 'first of 2'],
    [4, 'first of 4'],
  ];

  test.each([
    ['one', 'three', [all], 3],
    ['two', 'one', halves, 1],
    ['two', 'three', halves, 3],
  ] as const)('of %s task goes to each of %s', async (_from, _to, ranges, parallelism) => {
    const checkpoint = await checkpointOf(ranges);
    for (let subtask = 0; subtask < parallelism; subtask += 1) {
      const state = await restored(checkpoint, keyGroupRange(subtask, parallelism, groupCount));
      expect([...state.rules.entries()]).toEqual(rules);
    }
  });

  test('is shown once, whoever has copies', async () => {
    const { manifest, store } = await checkpointOf(halves);
    const rows = await readStateRows(manifest, store, { operator: 'rules' });
    expect(rows.map(({ key, value }) => [key, value])).toEqual(rules);
  });

  test('is one task’s alone, also where another has not written any', async () => {
    const checkpoint = await checkpointOf(halves);
    const [first, second] = checkpoint.manifest.tasks;
    const without = { ...first!, chain: [] };
    const part = { ...checkpoint, manifest: { ...checkpoint.manifest, tasks: [without, second!] } };
    const state = await restored(part, halves[0]!);
    expect([...state.rules.entries()]).toEqual(rules);
  });
});

describe('times to live', () => {
  const time = { recordMs: () => 0, watermarkMs: () => 0, processingMs: () => 0 };
  const options = { tracking: 'tracked', groupCount, groups: all } as const;
  const ttl = { durationMs: 10, refreshOn: 'write', expired: 'hidden' } as const;
  const backendAt = (processing: number, of: 'event' | 'processing') => {
    const backend = new HeapBackend(options);
    const value = { kind: 'value', version: 1, ttl: { ...ttl, time: of } } as const;
    const clock = { ...time, processingMs: () => processing };
    const access = backend.keyedState('process', { value }, clock);
    access.setKey(1);
    return { backend, value: access.handles.value as ValueState<number> };
  };

  test.each([
    ['as stored, where a manifest does not say of what time they are', undefined, undefined],
    ['as stored, where they are of the same time', 'processing', undefined],
    ['anew, where they are of another', 'event', 5],
    ['anew, where the state had none', 'none', 5],
  ] as const)('count %s', async (_how, stamps, left) => {
    const { checkpoints: store } = folderStores(virtualEnv(), '/job');
    const written = backendAt(100, 'processing');
    written.value.set(5);
    const [declared] = declaredStates(written.backend);
    expect(declared).toMatchObject({ stamps: 'processing' });
    const { stamps: _, ...state } = declared!;
    const chain = [await writeBlob(store, 'segments/0', snapshotOf(written.backend))];
    const manifest = {
      tasks: [{ task: 'task-0', keyGroups: all, chain }],
      states: [{ ...state, ...(stamps && { stamps }) }],
    } as unknown as Manifest;
    const { backend, value } = backendAt(110, 'processing');
    const pause = async (): Promise<void> => undefined;
    await restoreState({ manifest, store, backend, keyGroups: all, chain: 'new', pause });
    expect(value.get()).toBe(left);
    const follows = chainToFollow(manifest, { id: 'task-0', keyGroups: all }, [declared!]);
    expect(follows).toEqual(left === undefined ? chain : undefined);
  });
});
