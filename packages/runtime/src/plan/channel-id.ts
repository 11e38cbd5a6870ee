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
  /** Subtask and parallelism of who writes. */
  readonly from: number;
  readonly fromOf: number;
  /** Of who reads. */
  readonly to: number;
  readonly toOf: number;
}

export function channelIdOf(
  { stages }: Pick<PhysicalPlan, 'stages'>,
  { target, from, to }: ChannelPlan,
): ChannelId {
  const reader = stages[to.stage]!;
  return {
    edge: target.edge.id,
    role: reader.kind === 'operator' ? reader.role : reader.kind,
    input: target.input,
    from: from.subtask,
    fromOf: stages[from.stage]!.parallelism,
    to: to.subtask,
    toOf: reader.parallelism,
  };
}

/** Equal for equal channels; also for people. */
export const channelName = ({ edge, role, input, from, fromOf, to, toOf }: ChannelId): string =>
  `${edge}, ${role} ${input}, ${from} of ${fromOf} to ${to} of ${toOf}`;
