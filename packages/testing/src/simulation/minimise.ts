import type { FaultName } from './fault-kinds.js';
import type { JobPlan, SourcePlan, SplitPlan } from './job-plan.js';
import {
  type SeedResult,
  type SimulationCase,
  type SimulationOptions,
  simulateSeed,
} from './simulate-seed.js';

export interface MinimiseOptions extends SimulationOptions {
  /** Runs that may be spent. Default 300. */
  readonly runsMax?: number | undefined;
}

/**
 * Makes a failing seed's case smaller as long as the same oracle is violated: fewer faults,
 * branches, steps and records. Each change shifts what happens when, so a failure that needs an
 * exact moment may get lost, and what is left then is larger than need be.
 *
 * @returns the result of the smallest case that fails; of the whole one, should it not fail
 */
export async function minimiseSeed(
  seed: number,
  options: MinimiseOptions = {},
): Promise<SeedResult> {
  const { runsMax = 300, around } = options;
  let best = await simulateSeed(seed, options);
  const oracle = best.violation?.oracle;
  if (oracle === undefined) return best;
  let runs = 1;
  const fails = async (smaller: SimulationCase): Promise<boolean> => {
    runs += 1;
    const result = await simulateSeed(seed, { around, adapt: () => smaller });
    if (result.violation?.oracle !== oracle) return false;
    best = result;
    return true;
  };
  for (let hasShrunk = true; hasShrunk && runs < runsMax; ) {
    hasShrunk = false;
    for (const candidates of [smallerFaults, smallerBranches, smallerInput]) {
      // After a success the candidates are those of the smaller case; what failed is not tried again.
      for (let at = 0; runs < runsMax; ) {
        const smaller = candidates(best.case)[at];
        if (smaller === undefined) break;
        if (await fails(smaller)) hasShrunk = true;
        else at += 1;
      }
    }
  }
  return best;
}

function smallerFaults({ job, faults }: SimulationCase): readonly SimulationCase[] {
  const names = Object.keys(faults.meanMs) as readonly FaultName[];
  const without = names.map((name) => {
    const { [name]: _, ...meanMs } = faults.meanMs;
    return { job, faults: { ...faults, meanMs } };
  });
  // Faults that come later than it takes do no harm; those that are left come first.
  const shorter =
    faults.endMs > 10 ? [{ job, faults: { ...faults, endMs: faults.endMs / 2 } }] : [];
  return [...without, ...shorter];
}

function smallerBranches({ job, faults }: SimulationCase): readonly SimulationCase[] {
  const { branches } = job;
  const some = branches.length > 1 ? branches : [];
  const fewer = some.map((dropped) => branches.filter((branch) => branch !== dropped));
  const fewerSteps = branches.flatMap((branch) =>
    branch.steps.map((dropped) =>
      branches.map((other) =>
        other === branch
          ? { ...other, steps: other.steps.filter((step) => step !== dropped) }
          : other,
      ),
    ),
  );
  const jobs: JobPlan[] = [...fewer, ...fewerSteps].map((changed) => ({
    ...job,
    branches: changed,
  }));
  const limits = Object.entries(job.limits ?? {});
  for (const dropped of limits) {
    const others = limits.filter((limit) => limit !== dropped);
    jobs.push({ ...job, limits: Object.fromEntries(others) });
  }
  if (job.codegen === 'on') jobs.push({ ...job, codegen: 'off' });
  if (job.backend === 'level') jobs.push({ ...job, backend: 'heap' });
  if (job.lanes === 'links') jobs.push({ ...job, lanes: 'queues' });
  if (job.slots.length > 1) jobs.push(...job.slots.map((only) => ({ ...job, slots: [only] })));
  else if (job.slots[0] !== 1) jobs.push({ ...job, slots: [1] });
  return jobs.map((changed) => ({ job: changed, faults }));
}

/** Without a run of records of a split: half of them first, then shorter ones. */
function smallerInput({ job, faults }: SimulationCase): readonly SimulationCase[] {
  const candidates: JobPlan[] = [];
  for (const parts of [1, 2, 4, 8, 16, 32]) {
    for (const source of job.sources) {
      for (const split of source.splits) {
        const length = Math.ceil(split.records.length / parts);
        if (
          length === 0 ||
          (parts > 1 && length === Math.ceil(split.records.length / (parts / 2)))
        ) {
          continue;
        }
        for (let from = 0; from < split.records.length; from += length) {
          candidates.push(withSplit(job, source, split, without(split, from, length)));
        }
      }
    }
  }
  return candidates.map((changed) => ({ job: changed, faults }));
}

function without(split: SplitPlan, from: number, length: number): SplitPlan {
  const isKept = (_: unknown, index: number): boolean => index < from || index >= from + length;
  return {
    ...split,
    records: split.records.filter(isKept),
    arrivalsMs: split.arrivalsMs.filter(isKept),
  };
}

function withSplit(
  job: JobPlan,
  source: SourcePlan,
  split: SplitPlan,
  smaller: SplitPlan,
): JobPlan {
  const splits = source.splits.map((other) => (other === split ? smaller : other));
  const sources = job.sources.map((other) => (other === source ? { ...source, splits } : other));
  return { ...job, sources };
}
