import { armFaults, generateOptions } from '../simulation/fault-plan.js';
import type { JobPlan } from '../simulation/job-plan.js';
import { Scene } from '../simulation/scene.js';
import { SeededRandom } from '../simulation/seeded-random.js';
import { SimulatedWorld } from '../simulation/simulated-world.js';
import type { TraceEntry } from '../simulation/trace.js';
import { SimulationViolation } from '../simulation/violation.js';
import { withAmbient } from './ambient-time.js';
import { lastArrivalOf, type PlannedSource } from './input-plan.js';
import { bookTextOf, RowBook } from './row-sink.js';
import { faultPlanOf, type UserFaultPlan } from './user-faults.js';
import { type UserJob, userJobStarter } from './user-job.js';

/** One run of a user's job as data: it can be repeated, and made smaller. */
export interface UserCase {
  readonly seed: number;
  readonly sources: readonly PlannedSource[];
  readonly faults: UserFaultPlan;
  /** Each start of a process draws one of these. */
  readonly slots: readonly number[];
  /** Fixes what functions that ask clock or randomness are told; nothing else. */
  readonly ambientSeed: number;
  /** Records of the seed were left out. */
  readonly isPart?: true | undefined;
}

/** What became of a case. */
export interface UserRun {
  /** Texts of the rows that each sink has committed, in the order of publishing. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
  readonly book: RowBook;
  /** The run did not come to its end, or broke a promise of the engine's. */
  readonly failure: Error | undefined;
  readonly starts: number;
  readonly committedCheckpoints: number;
  readonly effectiveFaults: Readonly<Record<string, number>>;
  readonly notes: readonly TraceEntry[];
  readonly traceHash: string;
}

/** Virtual time in which a job has to finish once faults have ended and its input is there, ms. */
const progressMaxMs = 120_000;
/** Picks of a run: small jobs take a thousandth of it. */
const picksMax = 500_000;
/** Real time that functions may wait for something outside of the simulation, ms. */
const outsideMaxMs = 250;
const outsideStepMs = 5;
/** How far the wall clocks of two runs may be apart, ms. */
const wallClockSpreadMs = 86_400_000;

/** Runs a job in virtual time; what goes wrong is in the result. */
export async function runCase(job: UserJob, case_: UserCase): Promise<UserRun> {
  const book = new RowBook();
  const ambientRandom = new SeededRandom(case_.ambientSeed).fork('ambient');
  const startMs = job.startMs + Math.floor(ambientRandom.next() * wallClockSpreadMs);
  const scene = sceneOf(job, case_, book, startMs);
  const { world } = scene;
  const ambient = { nowMs: () => world.env.clock.nowMs(), random: ambientRandom };
  job.beforeRun();
  let failure: Error | undefined;
  try {
    await withAmbient(ambient, () => play(scene, case_));
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const { destination } = scene;
  return {
    rows: new Map(job.sinks.map((id) => [id, destination.published(id).map(bookTextOf)])),
    book,
    failure,
    starts: scene.starts,
    committedCheckpoints: scene.commits.committed,
    effectiveFaults: scene.effective,
    notes: world.trace.noted,
    traceHash: world.trace.hash,
  };
}

function sceneOf(job: UserJob, case_: UserCase, book: RowBook, startMs: number): Scene {
  const random = new SeededRandom(case_.seed).fork('user world');
  const world = new SimulatedWorld({
    seed: Math.floor(random.next() * 2 ** 48),
    startMs,
    clockReadMs: random.spread(0.002, 0.1),
    inOrderShare: random.next(),
  });
  const { restart, checkpoints } = generateOptions(random.fork('options'));
  const scene = new Scene({
    world,
    plan: planWith(case_.slots),
    around: {},
    options: { restart, checkpoints: { ...checkpoints!, ...paceOf(random.fork('pace')) } },
    faultsEndMs: case_.faults.endMs,
    startJob: userJobStarter({
      job,
      sources: case_.sources,
      book,
      onFailed: (error) => {
        // Without faults nothing gets better by doing it again.
        if (case_.faults.kinds.length === 0) world.fail(error);
      },
    }),
  });
  noteCommits(scene);
  return scene;
}

/** Input arrives within a few hundred milliseconds: there are to be some checkpoints in it. */
const paceOf = (random: SeededRandom) => ({
  interval: random.whole(15, 60),
  minPause: random.whole(0, 10),
});

/** Of the plan of generated jobs a scene reads the slots; the job is the user's. */
const planWith = (slots: readonly number[]): JobPlan => ({
  kind: 'determinate',
  sources: [],
  branches: [],
  backend: 'heap',
  stateMemoryBytes: 0,
  codegen: 'on',
  checkRecords: 'on',
  slots,
});

/** For the timeline of a failing run. */
function noteCommits({ world, commits }: Scene): void {
  let last: number | undefined;
  world.diskLatency.onStep(() => {
    const { newest } = commits;
    if (newest !== undefined && newest !== last) world.note(`checkpoint ${newest} is committed`);
    last = newest;
    return undefined;
  });
}

async function play(scene: Scene, { sources, faults }: UserCase): Promise<void> {
  const { world } = scene;
  armFaults(scene, faultPlanOf(faults));
  scene.start();
  const untilMs = Math.max(faults.endMs, lastArrivalOf(sources)) + progressMaxMs;
  for (let outsideMs = 0; ; outsideMs += outsideStepMs) {
    const end = await world.run(() => scene.isOver, { untilMs, picksMax });
    if (end === 'done') return;
    if (end !== 'idle' || outsideMs >= outsideMaxMs) {
      const why = end === 'idle' ? 'it waits for something outside of the simulation' : 'no end';
      const detail = `the job does not finish: ${why}; it is ${scene.state}`;
      throw new SimulationViolation('progress', detail);
    }
    // A function's setup may really read a file, say.
    await new Promise((resolve) => setTimeout(resolve, outsideStepMs));
  }
}
