import { withLimits } from './engine-limits.js';
import type { FaultPlan } from './fault-plan.js';
import {
  armFaults,
  generateFaults,
  generateOptions,
  lastArrivalMs,
  noFaults,
} from './fault-plan.js';
import { generateJob } from './generate-job.js';
import { checkIdle, idleCaseOf } from './idle-oracle.js';
import { type JobPlan, recordsOf } from './job-plan.js';
import { checkConservation, checkOutput } from './output-oracle.js';
import { Scene } from './scene.js';
import { SeededRandom } from './seeded-random.js';
import type { SimulatedDestination } from './simulated-destination.js';
import type { AroundJob } from './simulated-job.js';
import { SimulatedWorld } from './simulated-world.js';
import type { TraceEntry } from './trace.js';
import { type OracleName, type Oracles, outputOracles, SimulationViolation } from './violation.js';

/** Virtual time in which a job has to finish once faults have ended and its input is there, ms. */
const progressMaxMs = 120_000;
/** Picks of a run; the largest jobs take a twentieth. */
const picksMax = 1_000_000;

export interface SimulationOptions {
  /** Put around what the job under test meets; the run it is compared with goes without. */
  readonly around?: AroundJob | undefined;
  /** Default: all. */
  readonly oracles?: Oracles | undefined;
  /** Changes the job and the faults that the seed gives, e.g. makes them smaller. */
  readonly adapt?: ((case_: SimulationCase) => SimulationCase) | undefined;
}

/** What a seed stands for. */
export interface SimulationCase {
  readonly job: JobPlan;
  readonly faults: FaultPlan;
}

/** What became of a seed. */
export interface SeedResult {
  readonly seed: number;
  /**
   * `detected`: a fault damaged what was stored, and the job said so and stopped. `unjudged`: only
   * output was to be compared, and the job has not finished.
   */
  readonly verdict: 'finished' | 'detected' | 'unjudged' | 'violation';
  readonly violation: { readonly oracle: OracleName; readonly message: string } | undefined;
  /** Of all picks with their times: the same for the same seed and code. */
  readonly traceHash: string;
  readonly committedCheckpoints: number;
  /** Those of them with records that waited in channels. */
  readonly unalignedCheckpoints: number;
  /** Faults that hit something, by kind. */
  readonly effectiveFaults: Readonly<Record<string, number>>;
  /** Things that happened, with those of the run without faults. */
  readonly picks: number;
  /** Records of the input. */
  readonly records: number;
  /** Processes that ran the job. */
  readonly starts: number;
  readonly virtualMs: number;
  /** What happened, and the last picks; only of a violation, or when asked for. */
  readonly timeline: readonly TraceEntry[];
  readonly case: SimulationCase;
}

/** What a seed stands for, before anything runs. */
export function caseOf(seed: number, { adapt }: SimulationOptions = {}): SimulationCase {
  const random = new SeededRandom(seed);
  const job = generateJob(random.fork('job'));
  const generated = { job, faults: generateFaults(job, random.fork('faults')) };
  return adapt?.(generated) ?? generated;
}

/**
 * Runs the job of a seed with its faults, and checks all that is promised.
 *
 * @example
 * const { verdict, timeline } = await simulateSeed(42);
 */
export async function simulateSeed(
  seed: number,
  options: SimulationOptions = {},
): Promise<SeedResult> {
  const case_ = caseOf(seed, options);
  return withLimits(case_.job.limits ?? {}, () => simulateCase(seed, case_, options));
}

async function simulateCase(
  seed: number,
  case_: SimulationCase,
  options: SimulationOptions,
): Promise<SeedResult> {
  const { oracles = 'all' } = options;
  const scene = sceneOf(seed, case_, options.around ?? {}, oracles);
  const { world } = scene;
  let picks = 0;
  let violation: SimulationViolation | undefined;
  try {
    await play(scene, case_);
    if (oracles === 'all') await checkMore(seed, scene, case_);
    if (scene.verdict === 'finished') {
      checkConservation(case_.job, scene.destination);
      if (case_.job.kind === 'determinate') {
        const reference = await referenceOf(seed, case_.job);
        picks = reference.picks;
        checkOutput(case_.job, scene.destination, reference.destination);
      }
    }
  } catch (error) {
    const broken = asViolation(error);
    if (oracles === 'all' || outputOracles.includes(broken.oracle)) violation = broken;
  }
  return {
    seed,
    verdict: violation === undefined ? endOf(scene) : 'violation',
    violation: violation && { oracle: violation.oracle, message: violation.message },
    traceHash: world.trace.hash,
    committedCheckpoints: scene.commits.committed,
    unalignedCheckpoints: scene.commits.unaligned,
    effectiveFaults: scene.effective,
    picks: picks + world.trace.picks,
    records: recordsOf(case_.job).length,
    starts: scene.starts,
    virtualMs: world.nowMs,
    timeline: world.trace.timeline(),
    case: case_,
  };
}

/** Of a run in which nothing is wrong, or nobody has looked. */
const endOf = ({ verdict }: Scene): SeedResult['verdict'] =>
  verdict === 'running' ? 'unjudged' : verdict;

function sceneOf(
  seed: number,
  { job, faults }: SimulationCase,
  around: AroundJob,
  oracles: Oracles,
): Scene {
  const random = new SeededRandom(seed).fork('world');
  const world = new SimulatedWorld({
    seed: Math.floor(random.next() * 2 ** 48),
    clockReadMs: random.spread(0.001, 0.3),
    inOrderShare: random.next(),
  });
  const options = generateOptions(random.fork('options'));
  return new Scene({ world, plan: job, around, options, faultsEndMs: faults.endMs, oracles });
}

async function play(scene: Scene, { job, faults }: SimulationCase): Promise<void> {
  const { world } = scene;
  armFaults(scene, faults);
  scene.start();
  const untilMs = Math.max(faults.endMs, lastArrivalMs(job)) + progressMaxMs;
  const end = await world.run(() => scene.isOver, { untilMs, picksMax });
  if (end !== 'done') {
    const why = { idle: 'nothing is left that could happen', picks: 'no end', time: 'no end' };
    const when = `at ${Math.round(world.nowMs)} ms, after ${world.trace.picks} picks`;
    throw new SimulationViolation('progress', `${why[end]} ${when}: the job is ${scene.state}`);
  }
}

/** What needs to know how the engine works, or another run. */
async function checkMore(seed: number, scene: Scene, { job }: SimulationCase): Promise<void> {
  await checkStored(scene);
  const idle = idleCaseOf(job);
  if (idle === undefined) return;
  const case_ = { job: idle.job, faults: noFaults };
  await checkIdle(sceneOf(seed, case_, {}, 'all'), idle);
}

/** The last checkpoint, and those that are kept. */
async function checkStored(scene: Scene): Promise<void> {
  if (scene.isDamaged) return;
  await scene.commits.verifyRetained();
  checkPublished(scene, await scene.commits.prepared());
}

/** What belongs to the last checkpoint of a job that has finished is published. */
function checkPublished(
  { destination }: Scene,
  sinks: Awaited<ReturnType<Scene['commits']['prepared']>>,
): void {
  for (const { operator, prepared } of sinks) {
    for (const id of preparedIds(prepared)) {
      if (destination.isPublished(id)) continue;
      throw new SimulationViolation('sink', `${operator}: ${id} is committed and not published`);
    }
  }
}

/** What the simulated sinks call what they have prepared. */
function preparedIds(prepared: unknown): readonly string[] {
  if (prepared === null || prepared === undefined) return [];
  type Named = readonly { readonly id: string }[];
  const named = Array.isArray(prepared)
    ? (prepared as Named)
    : (prepared as { readonly outputs: Named }).outputs;
  return named.map(({ id }) => id);
}

async function referenceOf(
  seed: number,
  job: JobPlan,
): Promise<{ readonly destination: SimulatedDestination; readonly picks: number }> {
  const case_ = { job, faults: noFaults };
  const scene = sceneOf(seed, case_, {}, 'all');
  await play(scene, case_);
  return { destination: scene.destination, picks: scene.world.trace.picks };
}

function asViolation(error: unknown): SimulationViolation {
  if (error instanceof SimulationViolation) return error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new SimulationViolation('failure', text);
}
