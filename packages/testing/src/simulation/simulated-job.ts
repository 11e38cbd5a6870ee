import type { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { Sink, Source, Storage } from '@millrace/core/spi';
import type { JobHandle, RunOptions } from '@millrace/runtime';
import { LocalLanes, type Surroundings, startJob } from '@millrace/runtime/internal';
import { MemorySpillStore } from '@millrace/state';
import { buildJob } from './build-job.js';
import type { JobPlan, SimulatedRecord, SinkPlan } from './job-plan.js';
import { watchLanes } from './lane-watch.js';
import type { SimulatedDestination } from './simulated-destination.js';
import { atLeastOnceSink, exactlyOnceSink, type SimulatedSinkParts } from './simulated-sinks.js';
import { SimulatedSource } from './simulated-source.js';
import type { SimulatedWorld } from './simulated-world.js';
import { stagedSink } from './staged-sink.js';
import type { WorldLinks } from './world-links.js';
import type { WorldProcess } from './world-process.js';

/**
 * Puts something around what a job meets: a test plants its bugs this way, and users' parts can be
 * tried.
 */
export interface AroundJob {
  readonly storage?: ((storage: Storage) => Storage) | undefined;
  readonly source?: ((source: Source<SimulatedRecord>) => Source<SimulatedRecord>) | undefined;
  readonly sink?: ((sink: Sink<unknown>) => Sink<unknown>) | undefined;
}

export interface SimulatedJobParts {
  readonly world: SimulatedWorld;
  readonly plan: JobPlan;
  readonly destination: SimulatedDestination;
  readonly around: AroundJob;
  /** Called at each record of a `fallible` step; may throw. */
  readonly onRecord: (record: SimulatedRecord) => void;
  /** Called with what a destination throws at a writer. */
  readonly onViolation: (error: unknown) => void;
  /** What connects slots; undefined: queues. */
  readonly links: WorldLinks | undefined;
}

/** How a run of a job ended. */
type JobOutcome =
  | { readonly kind: 'finished' | 'cancelled' }
  | { readonly kind: 'failed'; readonly error: MillraceError };

/** A process that runs the job. */
export interface SimulatedJob {
  readonly process: WorldProcess;
  readonly handle: JobHandle;
  outcome: JobOutcome | undefined;
}

/** Runs the planned job in a process of its own; `onEnd` is called with its outcome set. */
export function startSimulatedJob(
  parts: SimulatedJobParts,
  process: WorldProcess,
  options: RunOptions,
  onEnd: (job: SimulatedJob) => void,
): SimulatedJob {
  const { plan, around } = parts;
  const env = {
    ...process.env,
    storage: around.storage?.(process.env.storage) ?? process.env.storage,
  };
  const built = buildJob(plan, endsOf(parts, process)).build();
  const { backend, stateMemoryBytes, codegen, checkRecords } = plan;
  const own = { env, backend, stateMemoryBytes, codegen, checkRecords };
  const handle = startJob(
    built,
    { ...own, ...options },
    {
      scratch: scratchIn(process),
      lanes: lanesOf(parts, process),
    },
  );
  return watchJob(process, handle, onEnd);
}

function lanesOf(
  { links, onViolation }: SimulatedJobParts,
  process: WorldProcess,
): Surroundings['lanes'] {
  const queues = () => new LocalLanes(process.env);
  return watchLanes(links?.lanesOf(process) ?? queues, onViolation);
}

/** How a job is put into a process: the planned one, or a user's. */
export type StartSimulatedJob = typeof startSimulatedJob;

/** A job that has just been started; `onEnd` is called with its outcome set. */
export function watchJob(
  process: WorldProcess,
  handle: JobHandle,
  onEnd: (job: SimulatedJob) => void,
): SimulatedJob {
  const job: SimulatedJob = { process, handle, outcome: undefined };
  const end = (outcome: JobOutcome): void => {
    job.outcome = outcome;
    onEnd(job);
  };
  handle.done.then(
    ({ status }) => end({ kind: status }),
    (thrown: unknown) => end({ kind: 'failed', error: toMillraceError(thrown, 'ERR_INVARIANT') }),
  );
  return job;
}

function endsOf(
  { world, plan, destination, around, onRecord, onViolation }: SimulatedJobParts,
  process: WorldProcess,
): Parameters<typeof buildJob>[1] {
  const random = world.random.fork(`ends of ${process.name}`);
  const sinkParts = {
    destination,
    process,
    delayMs: () => random.spread(0.05, 5),
    onViolation,
  };
  return {
    onRecord,
    spend: (ms) => world.spend(ms),
    source: (index) => {
      const source = new SimulatedSource({
        plan: plan.sources[index]!,
        process,
        nowMs: () => world.nowMs,
        random: random.fork(`source ${index}`),
      });
      return around.source?.(source) ?? source;
    },
    sink: (branch) => {
      const sink = makeSink[branch.sink]({ ...sinkParts, writeMs: branch.writeMs });
      return around.sink?.(sink) ?? sink;
    },
  };
}

const makeSink: Readonly<Record<SinkPlan, (parts: SimulatedSinkParts) => Sink<unknown>>> = {
  'exactly-once': exactlyOnceSink,
  staged: stagedSink,
  'at-least-once': atLeastOnceSink,
};

/** Stores in memory instead of LevelDB, whose calls complete when the world picks them. */
function scratchIn(process: WorldProcess): NonNullable<Surroundings['scratch']> {
  return {
    open: () => {
      const begun: (() => void)[] = [];
      const schedule = (complete: () => void): void => {
        begun.push(complete);
        // In the order of the calls, whichever is picked.
        process.after('spill', 0.01, () => begun.shift()!());
      };
      return { store: new MemorySpillStore({ schedule }), remove: async () => undefined };
    },
    remove: async () => undefined,
  };
}
