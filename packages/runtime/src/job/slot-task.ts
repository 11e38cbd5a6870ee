import type { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { CheckpointMode, Env } from '@millrace/core/spi';
import type { SnapshotStateBackend } from '@millrace/state';
import type { Manifest, TaskPart } from '../checkpoint/manifest.js';
import { SegmentChain } from '../checkpoint/segment-chain.js';
import type { DeclaredState } from '../checkpoint/state-difference.js';
import { closeAll } from '../engine/close-all.js';
import { type SinkCheckpointsParts, sinkCheckpoints } from '../engine/sink-checkpoints.js';
import type { BuiltTask, StageCheckpoints, TaskWorld } from '../engine/stage-world.js';
import { TaskSnapshots } from '../engine/task-snapshots.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { TaskPlan } from '../plan/physical-plan.js';
import type { AttemptState } from './attempt-state.js';
import { chainToFollow, declaredStates, operatorsOf, restoreState } from './restore-state.js';
import { restoreChannels } from './restored-channels.js';
import { restoredSource } from './restored-sources.js';
import type { EnumeratorStates, SlotListener } from './slot-control.js';

export interface SlotTaskParts {
  readonly plan: TaskPlan;
  readonly env: Env;
  readonly state: AttemptState;
  readonly checkpoints: SinkCheckpointsParts | undefined;
  readonly listener: SlotListener;
  readonly wake: (failure?: unknown) => void;
}

/** One task in its slot: its state, and its part of checkpoints. */
export class SlotTask {
  readonly world: TaskWorld;
  readonly backend: SnapshotStateBackend;
  snapshots: TaskSnapshots | undefined;
  private readonly parts: SlotTaskParts;
  private chain: SegmentChain | undefined;
  private built: BuiltTask | undefined;

  constructor(parts: SlotTaskParts) {
    this.parts = parts;
    this.backend = parts.state.backend;
    const checkpoints = parts.checkpoints && this.stageCheckpoints(parts.checkpoints);
    this.world = { task: parts.plan, state: this.backend, checkpoints };
  }

  /** The task's stages exist; none of them is open. */
  attach(built: BuiltTask, metricsOf: (operator: string) => OperatorMetrics): void {
    this.built = built;
    this.countSyncReads(metricsOf);
    const { checkpoints } = this.parts;
    if (checkpoints !== undefined) this.snapshots = this.takeSnapshots(checkpoints, built);
  }

  declared(): readonly DeclaredState[] {
    return declaredStates(this.backend);
  }

  async open(): Promise<void> {
    const { state, checkpoints } = this.parts;
    await state.open();
    if (checkpoints?.restored !== undefined) await this.restore(checkpoints.restored);
  }

  async close(): Promise<void> {
    await closeAll([
      async () => this.snapshots?.close(),
      async () => this.chain?.close(),
      () => this.parts.state.close(),
    ]);
  }

  trigger(checkpoint: number, enumerators: EnumeratorStates, mode: CheckpointMode): void {
    this.snapshots?.trigger(checkpoint, mode, enumerators);
  }

  abort(checkpoint: number): void {
    this.snapshots?.abort(checkpoint);
  }

  committed(checkpoint: number): void {
    for (const sink of this.built!.sinks) sink.commit(checkpoint);
    for (const source of this.built!.sources) source.committed(checkpoint);
  }

  /** Called once a turn. */
  check(): void {
    if (this.backend.needsBarrier === true) this.parts.listener.wantsCheckpoint();
  }

  private async restore(manifest: Manifest): Promise<void> {
    const { env, checkpoints, plan } = this.parts;
    const follows = this.chainToFollow(manifest) !== undefined;
    await restoreState({
      manifest,
      store: checkpoints!.store,
      backend: this.backend,
      keyGroups: plan.keyGroups,
      chain: follows ? 'followed' : 'new',
      pause: () => env.scheduler.yield(),
    });
    if (!follows) this.backend.abandon();
    await restoreChannels({ manifest, store: checkpoints!.store, plan, gates: this.built!.gates });
  }

  private chainToFollow(manifest: Manifest | undefined): TaskPart['chain'] | undefined {
    return chainToFollow(manifest, this.parts.plan, this.declared());
  }

  private stageCheckpoints(checkpoints: SinkCheckpointsParts): StageCheckpoints {
    const { plan, listener } = this.parts;
    return {
      sourceAtBarrier: (...at) => this.snapshots!.sourceAtBarrier(...at),
      operatorAtBarrier: (...at) => this.snapshots!.operatorAtBarrier(...at),
      sinkAtBarrier: (...at) => this.snapshots!.sinkAtBarrier(...at),
      channelsAtBarrier: (...at) => this.snapshots!.channelsAtBarrier(...at),
      channelsFailed: (...failed) => this.snapshots!.channelsFailed(...failed),
      sourceEnded: () => listener.sourceEnded(),
      restoredSource: (operator) => restoredSource(checkpoints.restored, operator, plan),
      ofSink: (operator) => sinkCheckpoints(checkpoints, operator, plan.subtask),
    };
  }

  private takeSnapshots(checkpoints: SinkCheckpointsParts, built: BuiltTask): TaskSnapshots {
    const { store, name: attempt, restored } = checkpoints;
    const { plan, env, wake, listener } = this.parts;
    this.chain = new SegmentChain({
      task: plan.id,
      attempt,
      keyGroups: plan.keyGroups,
      operators: operatorsOf(this.declared()),
      env,
      store,
      restored: this.chainToFollow(restored) ?? [],
      onDamage: (error) => this.beginChainAnew(error),
    });
    return new TaskSnapshots({
      task: plan.id,
      subtask: plan.subtask,
      attempt,
      env,
      store,
      backend: this.backend,
      chain: this.chain,
      sources: built.sources,
      gates: built.gates,
      expected: { operators: built.operators.length, sinks: built.sinks.length },
      acknowledge: (...acknowledged) => listener.acknowledged(plan.id, ...acknowledged),
      decline: (checkpoint, error) =>
        listener.declined(plan.id, checkpoint, toMillraceError(error, 'ERR_CHECKPOINT_FAILED')),
      wake,
    });
  }

  /** State is in memory: what cannot be read of its chain is written again. */
  private beginChainAnew(error: MillraceError): void {
    const { env, plan } = this.parts;
    const fields = { task: plan.id, error: error.message };
    if (this.backend.syncReads !== undefined) {
      env.log.log('error', 'the checkpoints cannot be restored: a segment is damaged', fields);
      return;
    }
    env.log.log('error', 'a segment is damaged: the next checkpoint has all state anew', fields);
    this.snapshots?.renew(error);
    this.chain?.renew();
  }

  /** Rows outside memory that were not there when they were wanted, as a metric of their operators. */
  private countSyncReads(metricsOf: (operator: string) => OperatorMetrics): void {
    const { backend } = this;
    if (backend.syncReads === undefined) return;
    for (const operator of backend.operators()) {
      metricsOf(operator).gauge('stateSyncReads', () => backend.syncReads!(operator));
    }
  }
}
