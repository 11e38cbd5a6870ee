import type { BuiltJob } from '@millrace/core';
import type { Env } from '@millrace/core/spi';
import type { StateBackendOptions } from '@millrace/state';
import { Compiler } from '../codegen/compiler.js';
import type { SinkCheckpointsParts } from '../engine/sink-checkpoints.js';
import { LocalLanes } from '../exchange/local-lanes.js';
import type { Scratch } from '../host/scratch-folder.js';
import { MetricRegistry } from '../metrics/metric-registry.js';
import type { PhysicalPlan, TaskPlan } from '../plan/physical-plan.js';
import { monotoneWallClock } from '../time/wall-clock.js';
import { type AttemptState, createTaskState } from './attempt-state.js';
import { Slot } from './slot.js';
import type { SlotListener, SlotMetrics } from './slot-control.js';
import type { SlotProvider } from './slot-provider.js';

export interface LocalSlotsParts {
  readonly job: BuiltJob;
  readonly plan: PhysicalPlan;
  readonly env: Env;
  readonly codegen: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  /** For all slots together. */
  readonly stateBytesMax: number;
  readonly backend: 'heap' | 'level';
  /** Memory for rows of the level backend, for all tasks together. */
  readonly stateMemoryBytes: number;
  readonly scratch: Scratch;
  readonly lanes?: MakeLanes | undefined;
  readonly checkpointFolder: string | undefined;
}

/** Makes the lanes of one attempt; the number tells attempts of this process apart. */
export type MakeLanes = (attempt: number) => Pick<LocalLanes, 'of'>;

/** The slots of a job that are all in this thread, of one attempt after another. */
export class LocalSlots implements SlotProvider {
  private readonly parts: LocalSlotsParts;
  private readonly registries: readonly MetricRegistry[];
  private slots: Slot[] = [];
  private lanes: Pick<LocalLanes, 'of'> | undefined;
  private compiler: Compiler;
  private attempt = 0;
  private readonly nowMs: () => number;

  constructor(parts: LocalSlotsParts) {
    this.parts = parts;
    this.nowMs = monotoneWallClock(parts.env.clock);
    this.registries = Array.from({ length: parts.plan.slots }, () => new MetricRegistry());
    this.compiler = new Compiler(parts.job.graph.job);
  }

  /** An attempt begins: its slots are created next. */
  begin(attempt: number): void {
    const { plan, env, job, lanes = () => new LocalLanes(env) } = this.parts;
    this.attempt = attempt;
    this.slots = [];
    this.compiler = new Compiler(job.graph.job);
    this.lanes = plan.slots > 1 ? lanes(attempt) : undefined;
  }

  create(
    slot: number,
    checkpoints: SinkCheckpointsParts | undefined,
    listener: SlotListener,
  ): Slot {
    const created = new Slot({
      ...this.parts,
      slot,
      compiler: this.compiler,
      metrics: this.registries[slot]!,
      nowMs: this.nowMs,
      createState: (own, task) => this.createState(own, task, checkpoints?.name),
      checkpoints,
      openLane: this.lanes?.of(slot),
      listener,
    });
    this.slots.push(created);
    return created;
  }

  /** Calls back once when nothing is ready in any slot any more, or the attempt has ended. */
  onIdle(listener: () => void): void {
    const all = this.slots.map(({ task }) => new Promise<void>((resolve) => task.onIdle(resolve)));
    Promise.all(all).then(listener);
  }

  metrics(): readonly SlotMetrics[] {
    if (this.slots.length > 0) return this.slots.map((slot) => slot.metrics());
    return this.registries.map((registry) => ({ operators: registry.read(), edges: {} }));
  }

  private createState(
    own: StateBackendOptions,
    { id, stateShare }: TaskPlan,
    attempt = String(this.attempt),
  ): AttemptState {
    const { stateMemoryBytes, checkpointFolder: folder } = this.parts;
    const memoryBytes = stateMemoryBytes * stateShare;
    const name = `attempt-${attempt}-${id}`;
    return createTaskState(own, { ...this.parts, memoryBytes, folder, name });
  }
}
