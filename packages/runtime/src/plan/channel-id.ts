import type { ChannelPlan, PhysicalPlan } from './physical-plan.js';
import type { OperatorRole } from './stage-plan.js';

/**
 * Names a channel in checkpoints: whatever the number of slots, it is the same as long as the job
 * and the parallelism of both its ends are.
 */
export interface ChannelId {
  readonly edge: string;
  /** What reads it: one keyed edge may lead to a loop, to a first phase, and on to a second one. */
  readonly role: OperatorRole | 'loop' | 'sink';
  readonly input: 0 | 1;
  /**
   * Who writes, where others write to the same edge and role: the loop that extracts keys ahead of
   * the edge, or sends dead letters of the operator behind it. `rightKeys`: of its second input.
   */
  readonly by?: 'keys' | 'rightKeys';
  /** Subtask and parallelism of who writes. */
  readonly from: number;
  readonly fromOf: number;
  /** Of who reads. */
  readonly to: number;
  readonly toOf: number;
}

export function channelIdOf(
  { stages }: Pick<PhysicalPlan, 'stages'>,
  { output, target, from, to }: ChannelPlan,
): ChannelId {
  const reader = stages[to.stage]!;
  const writer = stages[from.stage]!;
  const keys = writer.kind === 'loop' ? writer.keys : undefined;
  const isDeadLetters = output.node === keys?.owner.id;
  const isBehindKeys = reader.kind === 'loop' && target.edge.id === keys?.edge.id;
  return {
    edge: target.edge.id,
    role: reader.kind === 'operator' ? reader.role : reader.kind,
    input: target.input,
    ...((isDeadLetters || isBehindKeys) && { by: keys!.edge.input === 0 ? 'keys' : 'rightKeys' }),
    from: from.subtask,
    fromOf: writer.parallelism,
    to: to.subtask,
    toOf: reader.parallelism,
  };
}

/** Equal for equal channels; also for people. */
export const channelName = ({ edge, role, input, by, ...ends }: ChannelId): string => {
  const { from, fromOf, to, toOf } = ends;
  const writer = by === undefined ? `${from}` : `${by} ${from}`;
  return `${edge}, ${role} ${input}, ${writer} of ${fromOf} to ${to} of ${toOf}`;
};
