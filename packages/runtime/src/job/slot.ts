import { type BuiltJob, MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { CheckpointMode, Env, Split } from '@millrace/core/spi';
import type { StateBackendOptions } from '@millrace/state';
import type { DeclaredState } from '../checkpoint/state-difference.js';
import type { Compiler } from '../codegen/compiler.js';
import { buildStages } from '../engine/build-stages.js';
import { closeAll } from '../engine/close-all.js';
import type { Pulse } from '../engine/pulse.js';
import type { SinkCheckpointsParts } from '../engine/sink-checkpoints.js';
import type { BuiltStages } from '../engine/stage-world.js';
import { type SpareWork, type StageTimes, Task } from '../engine/task.js';
import { type OpenLane, SlotExchange } from '../exchange/slot-exchange.js';
import type { MetricRegistry } from '../metrics/metric-registry.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import {
  groupCount,
  type PhysicalPlan,
  stateShareOf,
  type TaskPlan,
} from '../plan/physical-plan.js';
import type { AttemptState } from './attempt-state.js';
import { SlotAlignment } from './slot-alignment.js';
import type { EnumeratorStates, SlotControl, SlotListener, SlotMetrics } from './slot-control.js';
import { SlotTask } from './slot-task.js';
import { StateGuard } from './state-guard.js';

export interface SlotParts {
  readonly job: BuiltJob;
  readonly plan: PhysicalPlan;
  readonly slot: number;
  readonly env: Env;
  readonly compiler: Compiler;
  readonly codegen: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  readonly metrics: MetricRegistry;
  readonly nowMs: () => number;
  /** For all slots together. */
  readonly stateBytesMax: number;
  /** Makes the backend of a task's state. */
  readonly createState: (options: StateBackendOptions, task: TaskPlan) => AttemptState;
  readonly checkpoints: SinkCheckpointsParts | undefined;
  /** Undefined: the job has one slot. */
  readonly openLane: OpenLane | undefined;
  readonly listener: SlotListener;
  /** Where it says what it is doing. */
  readonly pulse?: Pulse | undefined;
}

/** A slot in this thread: runs its tasks' stages in turn. */
export class Slot implements SlotControl {
  readonly task: Task;
  private readonly parts: SlotParts;
  private readonly tasks: readonly SlotTask[];
  private readonly built: BuiltStages;
  private readonly exchange: SlotExchange | undefined;
  private readonly alignment: SlotAlignment | undefined;
  private ended: Promise<'finished' | 'cancelled'> | undefined;
  private life: 'running' | 'finished' | 'stopped' = 'running';
  private letStart: () => void = () => undefined;
  private readonly started = new Promise<void>((resolve) => {
    this.letStart = resolve;
  });
  private tellStopping: () => void = () => undefined;
  private readonly stopping = new Promise<void>((resolve) => {
    this.tellStopping = resolve;
  });

  constructor(parts: SlotParts) {
    this.parts = parts;
    let task: Task | undefined;
    const wake = (failure?: unknown): void => task?.wake(failure);
    const { openLane } = parts;
    this.exchange =
      openLane &&
      new SlotExchange(openLane, (failure) => {
        // What has finished fails no more; but others may wait for what it has sent.
        if (failure === undefined || this.life !== 'finished') wake(failure);
        else parts.listener.failed(toMillraceError(failure, 'ERR_INVARIANT'));
      });
    this.tasks = parts.plan.tasks
      .filter(({ slot }) => slot === parts.slot)
      .map((plan) => this.createTask(plan, wake));
    const worlds = this.tasks.map(({ world }) => world);
    const metricsOf = (operator: string): OperatorMetrics => parts.metrics.of(operator);
    this.built = buildStages({ ...parts, metricsOf, exchange: this.exchange, wake }, worlds);
    for (const [at, own] of this.tasks.entries()) own.attach(this.built.tasks[at]!, metricsOf);
    const { slot, plan, listener } = parts;
    if (plan.slots > 1) {
      this.alignment = new SlotAlignment({
        groups: this.built.groups,
        scheduler: parts.env.scheduler,
        tell: (group, lowestMs) => listener.aligned(slot, group, lowestMs),
        wake,
      });
    }
    // A slot with no part of it has nothing to look at.
    const stateBytesMax = parts.stateBytesMax * stateShareOf(plan, slot) || Infinity;
    const backends = this.tasks.map(({ backend }) => backend);
    const guard = new StateGuard(backends, stateBytesMax, parts.env.log);
    const times = this.built.stages.map(({ id }) => this.timesOf(id));
    task = new Task(this.built.stages, times, parts.env, {
      pulse: parts.pulse,
      order: parts.plan.slots > 1 ? 'fair' : 'downstream',
      snapshots: spareWork(this.tasks),
      afterTurn: () => {
        guard.check();
        for (const own of this.tasks) own.check();
      },
    });
    this.task = task;
  }

  async build(): Promise<readonly DeclaredState[]> {
    return this.tasks.flatMap((task) => task.declared());
  }

  async open(): Promise<void> {
    for (const task of this.tasks) await task.open();
    const end = (outcome: unknown): void => {
      this.life = outcome === 'finished' ? 'finished' : 'stopped';
      this.tellStopping();
      this.alignment?.end();
    };
    await new Promise<void>((resolve, reject) => {
      this.ended = this.task.run(() => {
        resolve();
        return this.started;
      });
      this.ended.catch(reject);
      this.ended.then(end, end);
    });
  }

  start(): Promise<'finished' | 'cancelled'> {
    this.letStart();
    if (this.life === 'running') this.alignment?.start();
    return this.ended!;
  }

  trigger(
    task: string,
    checkpoint: number,
    enumerators: EnumeratorStates,
    mode: CheckpointMode,
  ): void {
    try {
      this.taskOf(task).trigger(checkpoint, enumerators, mode);
    } catch (error) {
      // A reader that refuses splits which were held back for it until now.
      this.task.wake(error);
    }
  }

  abort(task: string, checkpoint: number): void {
    this.taskOf(task).abort(checkpoint);
  }

  committed(task: string, checkpoint: number): void {
    this.taskOf(task).committed(checkpoint);
  }

  assign(source: string, subtask: number, splits: readonly Split[], end: boolean): void {
    for (const { task, sources } of this.built.tasks) {
      if (task.subtask !== subtask) continue;
      try {
        sources.find(({ id }) => id === source)?.assign(splits, end);
      } catch (error) {
        this.task.wake(error);
      }
    }
  }

  align(group: string, othersMs: number): void {
    this.alignment?.hear(group, othersMs);
  }

  drain(): void {
    for (const { sources } of this.built.tasks) for (const source of sources) source.drain();
  }

  release(): void {
    for (const { sources } of this.built.tasks) for (const source of sources) source.release();
  }

  async sinksQuiet(): Promise<void> {
    const sinks = this.built.tasks.flatMap((task) => task.sinks);
    // What has ended, or is to end, publishes no more.
    await Promise.race([this.stopping, Promise.all(sinks.map((sink) => sink.whenQuiet()))]);
  }

  cancel(): void {
    this.tellStopping();
    this.task.cancel();
    this.letStart();
  }

  fail(error: MillraceError): void {
    this.task.wake(error);
    this.letStart();
  }

  metrics(): SlotMetrics {
    this.task.noteRest();
    const edges: Record<string, number> = {};
    for (const { edgeId, records } of this.built.channels) {
      edges[edgeId] = (edges[edgeId] ?? 0) + records;
    }
    return { operators: this.parts.metrics.read(), edges };
  }

  async close(): Promise<void> {
    this.cancel();
    await this.ended?.catch(() => undefined);
    this.exchange?.close();
    await closeAll(this.tasks.map((task) => () => task.close()));
  }

  private createTask(plan: TaskPlan, wake: (failure?: unknown) => void): SlotTask {
    const { env, checkpoints, listener, createState } = this.parts;
    const tracking = checkpoints === undefined ? 'untracked' : 'tracked';
    const state = createState({ tracking, groupCount, groups: plan.keyGroups }, plan);
    return new SlotTask({ plan, env, state, checkpoints, listener, wake });
  }

  private taskOf(id: string): SlotTask {
    const found = this.tasks[this.built.tasks.findIndex(({ task }) => task.id === id)];
    if (found !== undefined) return found;
    throw new MillraceError('ERR_INVARIANT', `slot ${this.parts.slot} has no task ${id}`);
  }

  private timesOf(id: string): StageTimes {
    const isOperator = this.parts.job.graph.nodes.some((node) => node.id === id);
    if (isOperator) return this.parts.metrics.of(id);
    return { accumulateBusyTimeMs: 0, accumulateBackPressuredTimeMs: 0 };
  }
}

/** Snapshots of the tasks of a slot, one step of one of them at a time. */
function spareWork(tasks: readonly SlotTask[]): SpareWork | undefined {
  const all = tasks.flatMap(({ snapshots }) => snapshots ?? []);
  if (all.length <= 1) return all[0];
  return {
    get hasWork() {
      return all.some(({ hasWork }) => hasWork);
    },
    isDue: (nowMs) => all.some((work) => work.isDue(nowMs)),
    step() {
      const next = all.findIndex(({ hasWork }) => hasWork);
      if (next < 0) return;
      all[next]!.step();
      // The others have their turn first.
      all.push(...all.splice(next, 1));
    },
  };
}
