import type { BuiltJob } from '@millrace/core';
import type { SourceDefinition } from '@millrace/core/internal';
import type { OperatorDefinition, Sink } from '@millrace/core/spi';
import { startJob } from '@millrace/runtime/internal';
import { printable } from '../printable.js';
import type { SimulatedRecord } from '../simulation/job-plan.js';
import { hashText, type SeededRandom } from '../simulation/seeded-random.js';
import {
  type SimulatedJob,
  type SimulatedJobParts,
  type StartSimulatedJob,
  watchJob,
} from '../simulation/simulated-job.js';
import { exactlyOnceSink } from '../simulation/simulated-sinks.js';
import { stagedSink } from '../simulation/staged-sink.js';
import type { WorldProcess } from '../simulation/world-process.js';
import type { PlannedSource } from './input-plan.js';
import { plannedSource } from './planned-source.js';
import { type RowBook, rowSink } from './row-sink.js';
import { type MayThrow, throwing } from './throwing-functions.js';

/** A user's job, and what is the same in all its runs. */
export interface UserJob {
  /** Builds it anew: what its closures keep dies with a process. */
  readonly build: () => BuiltJob;
  /** Ids of its sinks. */
  readonly sinks: readonly string[];
  /** Sinks that get dead letters as they are. */
  readonly deadLetterSinks: ReadonlySet<string>;
  /** Event times of sources that leave them to their source. */
  readonly timestamps: Readonly<Record<string, ((record: never) => number) | undefined>>;
  /** Wall clock at the start of runs, about, epoch ms. */
  readonly startMs: number;
  /** Called ahead of each run. */
  readonly beforeRun: () => void;
}

/** What one run puts a user's job between. */
export interface UserJobParts {
  readonly job: UserJob;
  readonly sources: readonly PlannedSource[];
  readonly book: RowBook;
  /** Called with the error of a job that did not finish. */
  readonly onFailed: (error: Error) => void;
}

/** Runs a user's job in a process of the simulation. */
export function userJobStarter(parts: UserJobParts): StartSimulatedJob {
  return (scene, process, options, onEnd) => {
    const { world } = scene;
    const job = replaceEnds(parts, scene, process);
    const handle = startJob(job, { checkRecords: 'on', ...options, env: process.env });
    void handle.resumed.then(
      (from) => {
        const where = from === undefined ? 'the beginning' : `checkpoint ${from.checkpoint}`;
        const slots = options.slots === 1 ? '1 slot' : `${options.slots} slots`;
        world.note(`${process.name}: goes on from ${where}, in ${slots}`);
      },
      () => undefined,
    );
    return watchJob(process, handle, (ended: SimulatedJob) => {
      if (ended.outcome?.kind === 'failed') parts.onFailed(ended.outcome.error);
      onEnd(ended);
    });
  };
}

function replaceEnds(
  { job, sources, book }: UserJobParts,
  { world, destination, onRecord }: SimulatedJobParts,
  process: WorldProcess,
): BuiltJob {
  const built = job.build();
  const random = world.random.fork(`ends of ${process.name}`);
  const mayThrow: MayThrow = (record) => onRecord(namedBy(record));
  const nodes = new Map(built.functions.nodes);
  for (const { id, kind, onError } of built.graph.nodes) {
    const definition = nodes.get(id);
    if (kind === 'source') {
      const planned = sources.find((source) => source.id === id) ?? { id, records: [] };
      const reading = { process, nowMs: () => world.nowMs, random: random.fork(`source ${id}`) };
      nodes.set(id, sourceOf(definition as SourceDefinition, planned, job.timestamps[id], reading));
    } else if (kind === 'sink') {
      const sinkParts = {
        destination,
        process,
        delayMs: () => random.spread(0.05, 5),
        onViolation: (error: unknown) => world.fail(error),
      };
      const inner = makeSink(world.random.fork(`sink ${id}`))(sinkParts);
      const from = job.deadLetterSinks.has(id) ? 'deadLetters' : 'main';
      nodes.set(
        id,
        rowSink({ inner, original: definition as Sink<unknown>, book, from, mayThrow }),
      );
    } else if (onError.action === 'fail') {
      nodes.set(id, throwing(definition as OperatorDefinition, mayThrow));
    }
  }
  return { ...built, functions: { ...built.functions, nodes } };
}

/** The same for all processes of a run: what one has prepared another one publishes. */
const makeSink = (random: SeededRandom) => (random.chance(0.7) ? exactlyOnceSink : stagedSink);

/** The fault throws once at each name: the same record again and again would be poison. */
const namedBy = (record: unknown): SimulatedRecord => ({
  // Asked for only when a fault is due.
  get id() {
    return hashText(0, printable(record));
  },
  key: 0,
  at: 0,
  amount: 0,
  part: 0,
});

function sourceOf(
  { source, watermarks }: SourceDefinition,
  planned: PlannedSource,
  timestamp: ((record: never) => number) | undefined,
  reading: Parameters<typeof plannedSource>[2],
): SourceDefinition {
  return {
    source: plannedSource(planned, source, reading),
    watermarks: {
      ...watermarks,
      timestamp: (timestamp as ((record: unknown) => number) | undefined) ?? watermarks.timestamp,
      // The wall clock is the simulation's.
      farFutureMs: Number.POSITIVE_INFINITY,
    },
  };
}
