import type { CheckpointBarrier, CheckpointMode } from '@millrace/core/spi';
import type { SnapshotStateBackend } from '@millrace/state';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { readChannelStates } from '../checkpoint/channel-state.js';
import { FolderCheckpointStore } from '../checkpoint/folder-checkpoint-store.js';
import type { TaskSnapshot } from '../checkpoint/manifest.js';
import type { SegmentChain } from '../checkpoint/segment-chain.js';
import { TaskSnapshots } from './task-snapshots.js';

const barrier = (checkpoint: number, mode: CheckpointMode = 'unaligned'): CheckpointBarrier => ({
  kind: 'barrier',
  checkpoint,
  mode,
});

const state = {
  channel: { edge: 'e', role: 'sink', input: 0, from: 0, fromOf: 1, to: 0, toOf: 1 },
  watermark: 5,
  isIdle: false,
  combined: 5,
  elements: [new Uint8Array([1, 2, 3])],
} as const;

/** Snapshots of a task with one source, one gate and one sink, and no state. */
class TaskUnderTest {
  readonly env = virtualEnv();
  readonly store = new FolderCheckpointStore({
    storage: this.env.storage,
    folder: '/checkpoints',
    random: this.env.random,
  });
  readonly triggered: string[] = [];
  readonly aborted: number[] = [];
  readonly acknowledged: (readonly [number, TaskSnapshot])[] = [];
  readonly declined: number[] = [];
  woken = 0;
  readonly snapshots: TaskSnapshots;

  constructor() {
    const { env, store } = this;
    const backend = { step: () => 'done', freeze: () => undefined, abandon: () => undefined };
    const part = { task: 'task-0', keyGroups: { first: 0, last: 255 }, chain: [] };
    this.snapshots = new TaskSnapshots({
      task: 'task-0',
      subtask: 0,
      attempt: 'a',
      env,
      store,
      backend: backend as unknown as SnapshotStateBackend,
      chain: { part: () => part } as unknown as SegmentChain,
      sources: [{ id: 's', trigger: (id, mode) => this.triggered.push(`${id} ${mode}`) }],
      gates: [{ abort: (checkpoint) => this.aborted.push(checkpoint) }],
      expected: { operators: 0, sinks: 1 },
      acknowledge: (...acknowledged) => this.acknowledged.push(acknowledged),
      decline: (checkpoint) => this.declined.push(checkpoint),
      wake: () => {
        this.woken += 1;
      },
    });
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 40; turn += 1) {
      this.snapshots.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe('the snapshot of a task', () => {
  test('begins with a barrier of another slot that comes ahead of its trigger', async () => {
    const t = new TaskUnderTest();
    t.snapshots.channelsAtBarrier(barrier(5), [state]);
    t.snapshots.sinkAtBarrier('out', barrier(5), undefined);
    await t.settle();
    expect(t.acknowledged).toEqual([]);
    t.env.advance(30);
    t.snapshots.trigger(5, 'unaligned', {});
    expect(t.triggered).toEqual(['5 unaligned']);
    t.snapshots.sourceAtBarrier('s', 5, { splits: [] });
    await t.settle();
    const [checkpoint, { part, alignmentMs }] = t.acknowledged[0]!;
    expect([checkpoint, alignmentMs, part.channels?.batches]).toEqual([5, 30, 1]);
    expect(readChannelStates(await t.store.read(part.channels!.blob))).toEqual([state]);
  });

  test('waits for what channels had only where barriers overtake', async () => {
    const t = new TaskUnderTest();
    t.snapshots.trigger(1, 'aligned', {});
    t.snapshots.sourceAtBarrier('s', 1, {});
    t.snapshots.sinkAtBarrier('out', barrier(1, 'aligned'), undefined);
    await t.settle();
    expect(t.acknowledged.map(([checkpoint]) => checkpoint)).toEqual([1]);
    expect(t.acknowledged[0]![1].part.channels).toBeUndefined();
    t.snapshots.trigger(2, 'unaligned', {});
    t.snapshots.sourceAtBarrier('s', 2, {});
    t.snapshots.sinkAtBarrier('out', barrier(2), undefined);
    await t.settle();
    expect(t.acknowledged.length).toBe(1);
    t.snapshots.channelsAtBarrier(barrier(2), []);
    await t.settle();
    expect(t.acknowledged.length).toBe(2);
  });

  test('has what a sink gave as it was then, and no functions', async () => {
    const t = new TaskUnderTest();
    const prepared = { rows: [1], abort: () => undefined };
    t.snapshots.trigger(1, 'aligned', {});
    t.snapshots.sinkAtBarrier('out', barrier(1, 'aligned'), prepared);
    prepared.rows.push(2);
    t.snapshots.sourceAtBarrier('s', 1, {});
    await t.settle();
    expect(t.acknowledged[0]![1].sinks).toEqual([
      { operator: 'out', subtask: 0, prepared: { rows: [1] } },
    ]);
  });

  test('that was given up does not begin again, and its gates are told', async () => {
    const t = new TaskUnderTest();
    t.snapshots.trigger(1, 'aligned', {});
    t.snapshots.abort(1);
    t.snapshots.abort(2);
    t.snapshots.trigger(1, 'aligned', {});
    t.snapshots.channelsAtBarrier(barrier(2), [state]);
    expect([t.aborted, t.triggered]).toEqual([[1, 2], ['1 aligned']]);
    // A newer one takes the place of one that nobody has given up yet.
    t.snapshots.trigger(3, 'aligned', {});
    t.snapshots.channelsAtBarrier(barrier(4), [state]);
    expect(t.aborted).toEqual([1, 2, 3]);
    t.snapshots.sourceAtBarrier('s', 3, {});
    t.snapshots.sinkAtBarrier('out', barrier(3, 'aligned'), undefined);
    await t.settle();
    expect([t.acknowledged, t.declined]).toEqual([[], []]);
  });

  test('that was given up lets its task go on with what waited behind barriers', () => {
    const t = new TaskUnderTest();
    t.snapshots.trigger(1, 'aligned', {});
    const before = t.woken;
    t.snapshots.abort(1);
    expect(t.woken).toBeGreaterThan(before);
  });

  test('leaves nothing behind where its task ends meanwhile', async () => {
    const t = new TaskUnderTest();
    t.snapshots.trigger(1, 'aligned', {});
    await t.settle();
    expect((await t.env.storage.list('/checkpoints/.aside')).length).toBe(1);
    await t.snapshots.close();
    t.snapshots.sourceAtBarrier('s', 1, {});
    t.snapshots.sinkAtBarrier('out', barrier(1, 'aligned'), undefined);
    t.snapshots.trigger(2, 'aligned', {});
    await t.settle();
    expect(await t.env.storage.list('/checkpoints/.aside')).toEqual([]);
    expect([t.acknowledged, t.declined]).toEqual([[], []]);
  });

  test('fails alone where what waits cannot be stored', async () => {
    const t = new TaskUnderTest();
    t.snapshots.trigger(1, 'unaligned', {});
    t.snapshots.channelsFailed(1, new Error('no data'));
    await t.settle();
    expect([t.declined, t.aborted]).toEqual([[1], [1]]);
  });
});
