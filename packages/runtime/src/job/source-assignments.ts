import type { BuiltJob, LogicalNode } from '@millrace/core';
import type { SourceDefinition } from '@millrace/core/internal';
import type { Env } from '@millrace/core/spi';
import type { Manifest } from '../checkpoint/manifest.js';
import { closeAll } from '../engine/close-all.js';
import { OperatorMetrics } from '../metrics/operator-metrics.js';
import { type PhysicalPlan, slotOf } from '../plan/physical-plan.js';
import { assignedSplits, enumeratorState } from './restored-sources.js';
import type { EnumeratorStates, SlotControl } from './slot-control.js';
import { SplitAssignment } from './split-assignment.js';

export interface SourceAssignmentsParts {
  readonly job: BuiltJob;
  readonly plan: PhysicalPlan;
  readonly env: Env;
  readonly restored: Manifest | undefined;
  readonly slots: () => readonly SlotControl[];
  readonly fail: (error: unknown) => void;
}

/** The sources of a job: finds their splits and gives them to the slots. */
export class SourceAssignments {
  /** Subtasks of all sources together. */
  readonly subtasks: number;
  private readonly parts: SourceAssignmentsParts;
  private readonly assignments: ReadonlyMap<string, SplitAssignment>;

  constructor(parts: SourceAssignmentsParts) {
    this.parts = parts;
    const sources = parts.job.graph.nodes.filter(({ kind }) => kind === 'source');
    this.assignments = new Map(sources.map((node) => [node.id, this.assignment(node)]));
    this.subtasks = sources.reduce((sum, node) => sum + this.parallelismOf(node), 0);
  }

  /** Assigns what is there now; for all sources, before the first record is read. */
  async discover(): Promise<void> {
    await Promise.all([...this.assignments.values()].map((each) => each.discover()));
  }

  states(): EnumeratorStates {
    const states = [...this.assignments].map(([source, { state }]) => [source, state]);
    return Object.fromEntries(states) as EnumeratorStates;
  }

  close(): Promise<void> {
    return closeAll([...this.assignments.values()].map((each) => () => each.close()));
  }

  private assignment(node: LogicalNode): SplitAssignment {
    const { job, env, restored, slots, fail, plan } = this.parts;
    const { source } = job.functions.nodes.get(node.id) as SourceDefinition;
    const parallelism = this.parallelismOf(node);
    const state = enumeratorState(restored, node.id);
    const metrics = new OperatorMetrics(node.id);
    const context = { operatorId: node.id, subtask: 0, parallelism, env, metrics, log: env.log };
    return new SplitAssignment({
      source: node.id,
      enumerator: source.createEnumerator(context, state),
      parallelism,
      env,
      restored: state,
      assigned: assignedSplits(restored, node.id),
      assign: (subtask, splits, end) =>
        slots()[slotOf(subtask, plan.slots)]!.assign(node.id, subtask, splits, end),
      fail,
    });
  }

  private parallelismOf({ id }: LogicalNode): number {
    const { stages } = this.parts.plan;
    const reads = stages.find(
      (stage) =>
        (stage.kind === 'loop' && stage.source?.id === id) ||
        (stage.kind === 'operator' && stage.fused?.source?.id === id),
    );
    return reads!.parallelism;
  }
}
