import { sinkId } from './build-job.js';
import { lastArrivalMs } from './fault-plan.js';
import type { BranchPlan, JobPlan, SourcePlan } from './job-plan.js';
import type { Scene } from './scene.js';
import { SimulationViolation } from './violation.js';

/** How long the silent source is silent behind the end of all else, and when it is looked, ms. */
const silenceMs = 15_000;
const lookMs = 10_000;
/** For checkpoints, and for being found idle late. */
const slackMs = 700;
const picksMax = 200_000;

/** A job of which one source is silent for long, and the branch that is not to wait for it. */
export interface IdleCase {
  readonly job: JobPlan;
  readonly branch: BranchPlan;
  readonly atMs: number;
}

/** The seed's job with a silent source, if it has a branch in which that would show. */
export function idleCaseOf(job: JobPlan): IdleCase | undefined {
  const branch = job.branches.find((each) => showsIdleness(job, each));
  if (branch === undefined) return undefined;
  const silent = branch.sources[1]!;
  const lastMs = lastArrivalMs(job);
  const sources = job.sources.map((source, index) =>
    index === silent ? delayed(source, lastMs + silenceMs) : source,
  );
  const steps = branch.steps.filter(({ kind }) => kind !== 'slow' && kind !== 'flatMap');
  const alone = { ...branch, steps, writeMs: 0 };
  return { job: { ...job, sources, branches: [alone] }, branch: alone, atMs: lastMs + lookMs };
}

/**
 * Windows are given out although a source that is idle has said nothing of event time.
 *
 * @param scene of the case's job, not started
 */
export async function checkIdle(scene: Scene, { branch, atMs }: IdleCase): Promise<void> {
  const { world, destination } = scene;
  scene.start();
  await world.run(() => world.nowMs >= atMs, { untilMs: atMs + silenceMs, picksMax });
  if (destination.published(sinkId(branch, 'main')).length > 0) return;
  const detail = `${branch.id} has given out no window: it waits for a source that is idle`;
  throw new SimulationViolation('progress', detail);
}

/** Windows of the first of two sources close while it is read. */
function showsIdleness({ sources }: JobPlan, { keyed, sources: read }: BranchPlan): boolean {
  const [first, second] = read.map((index) => sources[index]!);
  if (keyed.kind !== 'window' || keyed.window.kind === 'session') return false;
  const idleAfterMs = second?.idleAfterMs;
  if (first === undefined || idleAfterMs === undefined) return false;
  const neededMs = keyed.window.sizeMs * 2 + first.outOfOrdernessMs + first.stepMs;
  return first.splits.every((split) => {
    const times = split.records
      .filter((_, index) => split.arrivalsMs[index]! > idleAfterMs + slackMs)
      .map(({ at }) => at);
    return times.length === 0 ? split.records.length === 0 : spanOf(times) > neededMs;
  });
}

const spanOf = (times: readonly number[]): number => Math.max(...times) - Math.min(...times);

function delayed(source: SourcePlan, byMs: number): SourcePlan {
  const splits = source.splits.map((split) => ({
    ...split,
    arrivalsMs: split.arrivalsMs.map((atMs) => atMs + byMs),
  }));
  return { ...source, splits };
}
