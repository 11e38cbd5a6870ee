import type { BuiltJob } from '@millrace/core';
import type { Env, StateBackend } from '@millrace/core/spi';
import type { Compiler } from '../codegen/compiler.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { Channel } from './channel.js';
import type { OperatorStage } from './operator-stage.js';
import type { SinkCheckpoints } from './sink-checkpoints.js';
import type { SinkStage } from './sink-stage.js';
import type { SourceInput, SourceSnapshot } from './source-input.js';
import type { Stage } from './stage.js';

/** What a checkpointed task does at barriers, and what it is restored from. */
export interface StageCheckpoints {
  sourceAtBarrier(operator: string, checkpoint: number, snapshot: SourceSnapshot): void;
  operatorAtBarrier(operator: string, checkpoint: number): void;
  sinkAtBarrier(operator: string, checkpoint: number, prepared: unknown): void;
  /** A source has no more records; its channel is held open. */
  sourceEnded(): void;
  restoredSource(operator: string): SourceSnapshot | undefined;
  ofSink(operator: string): SinkCheckpoints;
}

/** What the stages of one slot need from around them. */
export interface StageWorld {
  readonly job: BuiltJob;
  readonly env: Env;
  readonly compiler: Compiler;
  readonly codegen: 'on' | 'off';
  /** `off`: keyed operators take batches with keys, so that they can load state ahead of them. */
  readonly fusion: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  readonly state: StateBackend;
  readonly metricsOf: (operator: string) => OperatorMetrics;
  /** Monotone processing time, epoch ms. */
  readonly nowMs: () => number;
  readonly wake: (failure?: unknown) => void;
  /** Undefined: no checkpoints are taken. */
  readonly checkpoints: StageCheckpoints | undefined;
}

export interface BuiltStages {
  /** In topological order. */
  readonly stages: readonly Stage[];
  readonly channels: readonly Channel[];
  readonly sources: readonly SourceInput[];
  readonly operators: readonly OperatorStage[];
  readonly sinks: readonly SinkStage[];
}
