import type { StagePlan } from './stage-plan.js';

/** Stages in an order in which each comes after those that feed it, with indices to match. */
export function topological(stages: readonly StagePlan[]): readonly StagePlan[] {
  const inputs = new Array<number>(stages.length).fill(0);
  const targetsOf = (stage: StagePlan): number[] =>
    stage.outputs.flatMap(({ targets }) => targets.map((target) => target.stage));
  for (const stage of stages) for (const target of targetsOf(stage)) inputs[target]! += 1;
  const order: number[] = [];
  const ready = stages.flatMap(({ index }) => (inputs[index] === 0 ? [index] : []));
  for (let index = ready.shift(); index !== undefined; index = ready.shift()) {
    order.push(index);
    for (const target of targetsOf(stages[index]!)) {
      inputs[target]! -= 1;
      if (inputs[target] === 0) ready.push(target);
    }
  }
  const position = new Map(order.map((index, at) => [index, at]));
  return order.map((index, at) => ({
    ...stages[index]!,
    index: at,
    outputs: stages[index]!.outputs.map((output) => ({
      ...output,
      targets: output.targets.map((t) => ({ ...t, stage: position.get(t.stage)! })),
    })),
  }));
}
