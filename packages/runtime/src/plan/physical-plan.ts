import { type BuiltJob, type LogicalNode, MillraceError } from '@millrace/core';
import { coreLimits, type KeyGroupRange, keyGroupRange } from '@millrace/core/internal';
import type { Sink, Source } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import { receiversOf } from './movement.js';
import { planStages } from './plan-stages.js';
import { type StageOutput, type StagePlan, type StageTarget, stageName } from './stage-plan.js';

/** Where a job runs. */
export interface PlanOptions {
  readonly fusion: 'on' | 'off';
  /** Whether operators may work in two phases, for which code is generated. */
  readonly phases: 'on' | 'off';
  /** Places that run side by side: threads, or parts of one thread in tests. */
  readonly slots: number;
  /** Subtasks of operators that do not say; default: one for each slot. */
  readonly parallelism?: number | undefined;
}

/** One subtask of a stage. */
interface SubtaskRef {
  readonly stage: number;
  readonly subtask: number;
}

/** Carries the records of one subtask to one of another stage. */
export interface ChannelPlan {
  /** The same in all slots; counts from 0. */
  readonly id: number;
  readonly output: StageOutput;
  readonly target: StageTarget;
  readonly from: SubtaskRef;
  readonly to: SubtaskRef;
}

/**
 * Subtasks of the same number and the same parallelism: they share their key groups, and so a
 * snapshot. What a checkpoint has of a job, it has by task.
 */
export interface TaskPlan {
  /** Names the task in checkpoints. */
  readonly id: string;
  readonly slot: number;
  readonly parallelism: number;
  readonly subtask: number;
  readonly keyGroups: KeyGroupRange;
  /** Indices of its stages. */
  readonly stages: readonly number[];
  /**
   * Its part of the memory that the job's state may take, 0 to 1: each operator with state has as
   * much as another, and of that each subtask its key groups' part.
   */
  readonly stateShare: number;
}

/** A job as it runs: who does what where, and who sends to whom. The same in every slot. */
export interface PhysicalPlan {
  readonly slots: number;
  /** In topological order. */
  readonly stages: readonly StagePlan[];
  readonly tasks: readonly TaskPlan[];
  readonly channels: readonly ChannelPlan[];
}

/** Key groups of a job. */
export const groupCount = coreLimits.keyGroupsDefault;

/**
 * Plans a job for slots. Pure: the same job and options give the same plan in every process.
 *
 * @throws MillraceError `ERR_INVALID_OPTION` for more stages, slots or subtasks than there may be
 */
export function planPhysically(job: BuiltJob, options: PlanOptions): PhysicalPlan {
  const { fusion, phases, slots, parallelism = slots } = options;
  checkCount('slots', slots, runtimeLimits.slotsMax);
  checkCount('parallelism', parallelism, groupCount);
  const parallelismOf = (node: LogicalNode): number => subtasksOf(job, node, parallelism);
  const stages = planStages(job, { fusion, phases, parallelismOf });
  if (stages.length > runtimeLimits.stagesMax) {
    throw new MillraceError('ERR_INVALID_OPTION', `the job has ${stages.length} stages`);
  }
  return { slots, stages, tasks: tasksOf(stages, slots), channels: channelsOf(stages) };
}

/** What runs in a slot, in the order of its stages, by the names that metrics and errors use. */
export function stageNames({ stages, tasks }: PhysicalPlan, slot: number): readonly string[] {
  return tasks
    .filter((task) => task.slot === slot)
    .flatMap((task) => task.stages)
    .sort((a, b) => a - b)
    .map((index) => stageName(stages[index]!));
}

/** The slot that a subtask is in. */
export const slotOf = (subtask: number, slots: number): number => subtask % slots;

function subtasksOf({ functions }: BuiltJob, node: LogicalNode, usual: number): number {
  const definition = functions.nodes.get(node.id) as
    | Partial<Sink<unknown> & { readonly source: Source<unknown> }>
    | undefined;
  const most = definition?.parallelismMax ?? definition?.source?.parallelismMax ?? groupCount;
  const wanted = node.parallelism ?? Math.min(usual, most);
  checkCount('parallelism', wanted, Math.min(most, groupCount), node.id);
  return wanted;
}

function checkCount(field: string, count: number, most: number, operator?: string): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= most) return;
  const detail = `${field} is ${count}, not a number from 1 to ${most}`;
  throw new MillraceError('ERR_INVALID_OPTION', detail, { field, operator });
}

function tasksOf(stages: readonly StagePlan[], slots: number): readonly TaskPlan[] {
  const widths = [...new Set(stages.map(({ parallelism }) => parallelism))].sort((a, b) => a - b);
  const withState = stages.filter(hasState);
  return widths.flatMap((parallelism) => {
    const own = stages.filter((stage) => stage.parallelism === parallelism);
    const operatorsShare = own.filter(hasState).length / Math.max(1, withState.length);
    return Array.from({ length: parallelism }, (_, subtask) => {
      const keyGroups = keyGroupRange(subtask, parallelism, groupCount);
      return {
        id: taskName(subtask, parallelism),
        slot: slotOf(subtask, slots),
        parallelism,
        subtask,
        keyGroups,
        stages: own.map(({ index }) => index),
        stateShare: (operatorsShare * (keyGroups.last - keyGroups.first + 1)) / groupCount,
      };
    });
  });
}

/** The part of the memory for state that a slot's tasks have together, 0 to 1. */
export const stateShareOf = ({ tasks }: PhysicalPlan, slot: number): number =>
  tasks.reduce((sum, task) => (task.slot === slot ? sum + task.stateShare : sum), 0);

/** What only works ahead of an exchange has nothing in checkpoints, and no state. */
function hasState(stage: StagePlan): boolean {
  if (stage.kind !== 'operator' || stage.role === 'local') return false;
  const { kind, state } = stage.node;
  return kind.startsWith('keyed') || Object.keys(state).length > 0;
}

/** Names tell the parallelism, since what a task has depends on it. */
const taskName = (subtask: number, parallelism: number): string =>
  parallelism === 1 ? 'task-0' : `task-${subtask}-of-${parallelism}`;

function channelsOf(stages: readonly StagePlan[]): readonly ChannelPlan[] {
  const channels: ChannelPlan[] = [];
  for (const { index: stage, parallelism, outputs } of stages) {
    for (const output of outputs) {
      for (const target of output.targets) {
        const width = stages[target.stage]!.parallelism;
        for (let subtask = 0; subtask < parallelism; subtask += 1) {
          for (const receiver of receiversOf(target.movement, subtask, parallelism, width)) {
            const from = { stage, subtask };
            const to = { stage: target.stage, subtask: receiver };
            channels.push({ id: channels.length, output, target, from, to });
          }
        }
      }
    }
  }
  return channels;
}
