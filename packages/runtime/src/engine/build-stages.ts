import type { SourceDefinition } from '@millrace/core/internal';
import { AlignmentGroups } from './alignment-group.js';
import { ChannelEnds } from './channel-ends.js';
import { OperatorStage } from './operator-stage.js';
import { SinkStage } from './sink-stage.js';
import type { Stage } from './stage.js';
import { StageBuilder } from './stage-builder.js';
import type { BuiltStages, BuiltTask, SlotWorld, TaskWorld } from './stage-world.js';

/** Makes the stages of the slot's tasks, connected by channels. */
export function buildStages(world: SlotWorld, tasks: readonly TaskWorld[]): BuiltStages {
  const ends = new ChannelEnds(world);
  const groups = alignmentGroups(world);
  const stages: { readonly index: number; readonly stage: Stage }[] = [];
  const built = tasks.map((own): BuiltTask => {
    const builder = new StageBuilder({ world, task: own, ends, groups });
    const { task } = own;
    const of = task.stages.map((index) => {
      const stage = builder.build(world.plan.stages[index]!);
      stages.push({ index, stage });
      return stage;
    });
    return {
      task,
      sources: builder.sources,
      operators: of
        .filter((stage) => stage instanceof OperatorStage)
        .filter(({ role }) => role !== 'local'),
      gates: builder.gates,
      sinks: of.filter((stage) => stage instanceof SinkStage),
    };
  });
  stages.sort((a, b) => a.index - b.index);
  return {
    stages: stages.map(({ stage }) => stage),
    channels: ends.senders,
    tasks: built,
    groups,
  };
}

/** Those of the whole job: a slot without members of one says so. */
function alignmentGroups({ job, plan }: SlotWorld): AlignmentGroups {
  const groups = new AlignmentGroups(plan.slots);
  for (const node of job.graph.nodes) {
    if (node.kind !== 'source') continue;
    const { watermarks } = job.functions.nodes.get(node.id) as SourceDefinition;
    groups.named(watermarks.alignment?.group);
  }
  return groups;
}
