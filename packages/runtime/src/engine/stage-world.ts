import type { BuiltJob } from '@millrace/core';
import type { CheckpointBarrier, Env, StateBackend } from '@millrace/core/spi';
import type { Compiler } from '../codegen/compiler.js';
import type { SlotExchange } from '../exchange/slot-exchange.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { PhysicalPlan, TaskPlan } from '../plan/physical-plan.js';
import type { AlignmentGroups } from './alignment-group.js';
import type { ChannelSender } from './channel.js';
import type { CaptureListener } from './channel-capture.js';
import type { InputGate } from './input-gate.js';
import type { OperatorStage } from './operator-stage.js';
import type { SinkCheckpoints } from './sink-checkpoints.js';
import type { SinkStage } from './sink-stage.js';
import type { SourceInput } from './source-input.js';
import type { RestoredSource, SourceSnapshot } from './source-snapshot.js';
import type { Stage } from './stage.js';

/** What a checkpointed task does at barriers, and what it is restored from. */
export interface StageCheckpoints extends CaptureListener {
  sourceAtBarrier(operator: string, checkpoint: number, snapshot: SourceSnapshot): void;
  operatorAtBarrier(operator: string, barrier: CheckpointBarrier): void;
  sinkAtBarrier(operator: string, barrier: CheckpointBarrier, prepared: unknown): void;
  /** A source has no more records; its channel is held open. */
  sourceEnded(): void;
  restoredSource(operator: string): RestoredSource | undefined;
  ofSink(operator: string): SinkCheckpoints;
}

/** What the stages of one task need beside what those of the whole slot do. */
export interface TaskWorld {
  readonly task: TaskPlan;
  readonly state: StateBackend;
  /** Undefined: no checkpoints are taken. */
  readonly checkpoints: StageCheckpoints | undefined;
}

/** What the stages of one slot need from around them. */
export interface SlotWorld {
  readonly plan: PhysicalPlan;
  readonly slot: number;
  /** Channels to and from other slots; undefined where there are none. */
  readonly exchange: SlotExchange | undefined;
  readonly job: BuiltJob;
  readonly env: Env;
  readonly compiler: Compiler;
  readonly codegen: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  readonly metricsOf: (operator: string) => OperatorMetrics;
  /** Monotone processing time, epoch ms. */
  readonly nowMs: () => number;
  readonly wake: (failure?: unknown) => void;
}

/** The stages of one task, by what a checkpoint has of them. */
export interface BuiltTask {
  readonly task: TaskPlan;
  readonly sources: readonly SourceInput[];
  readonly operators: readonly OperatorStage[];
  readonly sinks: readonly SinkStage[];
  /** Of its stages that read channels. */
  readonly gates: readonly InputGate[];
}

export interface BuiltStages {
  /** In topological order. */
  readonly stages: readonly Stage[];
  /** Those that begin here. */
  readonly channels: readonly ChannelSender[];
  readonly tasks: readonly BuiltTask[];
  readonly groups: AlignmentGroups;
}
