import type { LogicalEdge, LogicalNode } from '@millrace/core';
import type { EdgeFunctions } from '@millrace/core/internal';
import type { InlineOperator } from '@millrace/core/spi';
import type { BatchShape } from './batch-shape.js';
import type { Movement } from './movement.js';

/** Where a stage's output goes: an input of another stage. */
export interface StageTarget {
  readonly stage: number;
  readonly input: 0 | 1;
  readonly edge: LogicalEdge;
  /** How records are spread over the subtasks of the other stage. */
  readonly movement: Movement;
}

/** One output of a stage, with all who receive it. */
export interface StageOutput {
  /** Operator and port that write it. */
  readonly node: string;
  readonly port: string;
  readonly targets: StageTarget[];
  readonly shape: BatchShape;
  /** The stage only passes on what another one has counted as its output. */
  readonly relayed: boolean;
}

/** A fused operator of a loop. */
export interface LoopStep {
  readonly node: LogicalNode;
  readonly operator: InlineOperator;
}

/** How a loop ends: it hands records on, or extracts keys and columns for a keyed edge. */
export interface LoopKeys {
  readonly edge: LogicalEdge;
  /** Whose error policy applies to the extractors. */
  readonly owner: LogicalNode;
  readonly functions: EdgeFunctions;
}

/** Steps and keys that run in one loop with the operator behind them. */
export interface FusedPlan {
  readonly source: LogicalNode | undefined;
  readonly steps: readonly LoopStep[];
  readonly keys: LoopKeys;
}

interface StageBase {
  readonly index: number;
  /** Subtasks. */
  readonly parallelism: number;
  readonly outputs: StageOutput[];
  /** Whether its records carry kinds. */
  readonly carriesKinds: boolean;
}

/**
 * What of an operator a stage runs: all of it, or one of two phases: `local` ahead of the exchange,
 * `final` behind it, which has the state.
 */
export type OperatorRole = 'whole' | 'local' | 'final';

/** A part of a job that runs as one: what a subtask is made of. */
export type StagePlan =
  | (StageBase & { readonly kind: 'sink'; readonly node: LogicalNode })
  | (StageBase & {
      readonly kind: 'operator';
      readonly node: LogicalNode;
      role: OperatorRole;
      /** What is fused with a keyed operator: it takes records as they are ahead of the key. */
      fused: FusedPlan | undefined;
    })
  | (StageBase & {
      readonly kind: 'loop';
      /** The source that the loop reads; undefined: it reads a channel. */
      readonly source: LogicalNode | undefined;
      readonly steps: readonly LoopStep[];
      readonly keys: LoopKeys | undefined;
    });

/** The operator, source or edge that a stage is named after. */
export function stageName(stage: StagePlan): string {
  if (stage.kind !== 'loop') return stage.node.id;
  const { source, steps, keys, outputs } = stage;
  return source?.id ?? steps[0]?.node.id ?? keys?.edge.id ?? outputs[0]!.node;
}
