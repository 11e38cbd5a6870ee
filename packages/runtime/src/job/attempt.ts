import type { BuiltJob } from '@millrace/core';
import { coreLimits, keyGroupRange, toMillraceError } from '@millrace/core/internal';
import type { Env } from '@millrace/core/spi';
import type { SnapshotStateBackend, StateBackendOptions } from '@millrace/state';
import type { CheckpointCoordinator, CheckpointedTask } from '../checkpoint/coordinator-shell.js';
import type { Manifest, StateSummary } from '../checkpoint/manifest.js';
import { SegmentChain } from '../checkpoint/segment-chain.js';
import { type Compiler, canGenerateCode } from '../codegen/compiler.js';
import { buildStages } from '../engine/build-stages.js';
import { closeAll } from '../engine/close-all.js';
import { type SinkCheckpointsParts, sinkCheckpoints } from '../engine/sink-checkpoints.js';
import type { SourceSnapshot } from '../engine/source-input.js';
import type { BuiltStages, StageCheckpoints } from '../engine/stage-world.js';
import { type StageTimes, Task } from '../engine/task.js';
import { TaskSnapshots } from '../engine/task-snapshots.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { AttemptState } from './attempt-state.js';
import { chainToFollow, declaredStates, restoreState } from './restore-state.js';
import { StateGuard } from './state-guard.js';

/** What an attempt needs for taking checkpoints. */
export interface AttemptCheckpoints extends SinkCheckpointsParts {
  readonly coordinator: CheckpointCoordinator;
  /** Number of the attempt, from 1. */
  readonly number: number;
  readonly allowStateChange: readonly string[];
}

export interface AttemptParts {
  readonly job: BuiltJob;
  readonly env: Env;
  readonly compiler: Compiler;
  readonly codegen: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  readonly metricsOf: (operator: string) => OperatorMetrics;
  readonly nowMs: () => number;
  readonly stateBytesMax: number;
  /** Makes the backend of this attempt's state. */
  readonly createState: (options: StateBackendOptions) => AttemptState;
  readonly checkpoints: AttemptCheckpoints | undefined;
}

export const groupCount = coreLimits.keyGroupsDefault;
const keyGroups = keyGroupRange(0, 1, groupCount);
/** There is one task in one slot. */
const taskId = 'task-0';

/** One run of a job, from a start or restore to its end or failure. */
export class JobAttempt {
  readonly task: Task;
  readonly built: BuiltStages;
  private readonly parts: AttemptParts;
  private readonly backend: SnapshotStateBackend;
  private readonly state: AttemptState;
  private readonly snapshots: TaskSnapshots | undefined;
  private chain: SegmentChain | undefined;
  private openSources: number;
  private beforeFinal: (() => Promise<Manifest>) | undefined;

  constructor(parts: AttemptParts) {
    const { checkpoints, env } = parts;
    this.parts = parts;
    const tracking = checkpoints === undefined ? 'untracked' : 'tracked';
    this.state = parts.createState({ tracking, groupCount, groups: keyGroups });
    this.backend = this.state.backend;
    let task: Task | undefined;
    const wake = (failure?: unknown): void => task?.wake(failure);
    this.built = buildStages({
      ...parts,
      fusion: this.backend.relieve === undefined ? parts.codegen : 'off',
      state: this.backend,
      wake,
      checkpoints: checkpoints && this.stageCheckpoints(checkpoints),
    });
    this.countSyncReads();
    this.openSources = this.built.sources.length;
    this.snapshots = checkpoints && this.taskSnapshots(checkpoints, wake);
    const times = this.built.stages.map(({ id }) => this.timesOf(id));
    const guard = new StateGuard(this.backend, parts.stateBytesMax, env.log);
    task = new Task(this.built.stages, times, env, {
      snapshots: this.snapshots,
      afterTurn: () => {
        guard.check();
        if (this.backend.needsBarrier === true) checkpoints?.coordinator.hurry();
      },
    });
    this.task = task;
  }

  /** Runs until the input has ended, or it was cancelled; rejects when it failed. */
  async run(): Promise<'finished' | 'cancelled'> {
    const { checkpoints } = this.parts;
    try {
      await this.state.open();
      if (checkpoints?.restored !== undefined) await this.restore(checkpoints.restored);
      return await this.task.run(() => this.start());
    } finally {
      await closeAll([async () => this.chain?.close(), () => this.state.close()]);
    }
  }

  /** What the operators have declared. */
  states(): readonly StateSummary[] {
    return declaredStates(this.backend).map(({ migrates: _, ...state }) => state);
  }

  /** Ends the input of all sources where it stands; takes a savepoint when all is dealt with. */
  drain(savepoint: string): Promise<Manifest> {
    const { coordinator } = this.parts.checkpoints!;
    const taken = new Promise<Manifest>((resolve, reject) => {
      this.beforeFinal = () => {
        const saving = coordinator.savepoint(savepoint);
        saving.then(resolve, reject);
        return saving;
      };
    });
    for (const source of this.built.sources) source.drain();
    return taken;
  }

  /** Resolves when the sinks have published all that is committed. */
  async sinksQuiet(): Promise<void> {
    while (!this.built.sinks.every(({ isQuiet }) => isQuiet)) {
      await this.parts.env.scheduler.yield();
    }
  }

  /** Rows outside memory that were not there when they were wanted, as a metric of their operators. */
  private countSyncReads(): void {
    const { backend } = this;
    if (backend.syncReads === undefined) return;
    for (const operator of backend.operators()) {
      const read = (): number => backend.syncReads!(operator);
      this.parts.metricsOf(operator).gauge('stateSyncReads', read);
    }
  }

  private start(): void {
    const { checkpoints } = this.parts;
    if (checkpoints === undefined) return;
    const { coordinator, number } = checkpoints;
    const task: CheckpointedTask = {
      id: taskId,
      trigger: (checkpoint) => this.snapshots!.trigger(checkpoint),
      abort: (checkpoint) => this.snapshots!.abort(checkpoint),
      committed: (checkpoint) => {
        for (const sink of this.built.sinks) sink.commit(checkpoint);
        for (const source of this.built.sources) source.committed(checkpoint);
      },
    };
    coordinator.start([task], number);
  }

  private async restore(manifest: Manifest): Promise<void> {
    const { env, checkpoints } = this.parts;
    await restoreState({
      manifest,
      store: checkpoints!.store,
      backend: this.backend,
      keyGroups,
      allowStateChange: checkpoints!.allowStateChange,
      chain: this.chainToFollow(manifest) === undefined ? 'new' : 'followed',
      pause: () => env.scheduler.yield(),
    });
    if (this.chainToFollow(manifest) === undefined) this.backend.abandon();
  }

  private chainToFollow(manifest: Manifest | undefined): ReturnType<typeof chainToFollow> {
    return chainToFollow(manifest, taskId, keyGroups, declaredStates(this.backend));
  }

  private stageCheckpoints(checkpoints: AttemptCheckpoints): StageCheckpoints {
    const { restored } = checkpoints;
    return {
      sourceAtBarrier: (...at) => this.snapshots!.sourceAtBarrier(...at),
      operatorAtBarrier: (...at) => this.snapshots!.operatorAtBarrier(...at),
      sinkAtBarrier: (...at) => this.snapshots!.sinkAtBarrier(...at),
      sourceEnded: () => this.sourceEnded(),
      restoredSource: (operator) =>
        restored?.sources.find((part) => part.operator === operator)?.snapshot as
          | SourceSnapshot
          | undefined,
      ofSink: (operator) => sinkCheckpoints(checkpoints, operator),
    };
  }

  private taskSnapshots(checkpoints: AttemptCheckpoints, wake: () => void): TaskSnapshots {
    const { store, coordinator, name: attempt, restored } = checkpoints;
    const { built, backend } = this;
    const { env } = this.parts;
    const chain = this.chainToFollow(restored) ?? [];
    const segments = { task: taskId, attempt, keyGroups, env, store, restored: chain };
    this.chain = new SegmentChain(segments);
    return new TaskSnapshots({
      task: taskId,
      attempt,
      env,
      store,
      backend,
      chain: this.chain,
      trigger: (checkpoint) => {
        for (const source of built.sources) source.trigger(checkpoint);
      },
      expected: {
        sources: built.sources.length,
        operators: built.operators.length,
        sinks: built.sinks.length,
      },
      acknowledge: (...acknowledged) => coordinator.acknowledge(taskId, ...acknowledged),
      decline: (checkpoint, error) =>
        coordinator.decline(taskId, checkpoint, toMillraceError(error, 'ERR_CHECKPOINT_FAILED')),
      wake,
    });
  }

  /** With the last source's end comes the final checkpoint; only then do the channels close. */
  private sourceEnded(): void {
    this.openSources -= 1;
    if (this.openSources > 0) return;
    this.finish().then(
      () => {
        for (const source of this.built.sources) source.release();
      },
      (error: unknown) => this.task.wake(error),
    );
  }

  private async finish(): Promise<void> {
    // A savepoint that fails is told to whoever asked for it.
    await this.beforeFinal?.().catch(() => undefined);
    await this.parts.checkpoints!.coordinator.final();
  }

  private timesOf(id: string): StageTimes {
    const isOperator = this.parts.job.graph.nodes.some((node) => node.id === id);
    if (isOperator) return this.parts.metricsOf(id);
    return { accumulateBusyTimeMs: 0, accumulateBackPressuredTimeMs: 0 };
  }
}

/** Whether code is generated: unless told otherwise where the host allows it. */
export const codegenOf = (wanted: 'on' | 'off' | undefined): 'on' | 'off' =>
  wanted ?? (canGenerateCode() ? 'on' : 'off');
