import { writeFile } from 'node:fs/promises';
import {
  generate,
  type SlotJob,
  slotJob,
  slotModule,
  writeLines,
} from '@millrace/benchmark-nexmark';
import { pacedSource } from '@millrace/connectors';
import {
  CSV_HEADER,
  csvLine,
  fraudJob,
  simulateDays,
  Tally,
  tallySink,
} from '@millrace/example-fraud';
import { type JobHandle, type RunOptions, run } from '@millrace/runtime';

/** A job that is killed again and again. */
export interface ChaosJob {
  /** About how many records its input has. */
  readonly records: number;
  /** What its sink writes: one growing file, or a folder of parts. */
  readonly sinks: 'file' | 'parts';
  /** Name of its input's file; jobs with the same input share it. */
  readonly input: string;
  writeInput(path: string): Promise<void>;
  start(files: JobFiles, options: RunOptions): StartedJob;
}

interface JobFiles {
  readonly input: string;
  readonly output: string;
  readonly recordsPerSecond: number | undefined;
}

interface StartedJob {
  readonly handle: JobHandle;
  /** What it counts beside its output; kills must not change that either. */
  readonly counts: () => unknown;
}

export const jobNames = ['fraud', 'q5', 'q8', 'q11'] as const;
export type JobName = (typeof jobNames)[number];

const fraud: ChaosJob = {
  records: 180_000,
  sinks: 'file',
  input: 'transactions.csv',
  async writeInput(path) {
    const days = simulateDays({ seed: 7, cards: 800, terminals: 1_600, days: 120 });
    const lines = [...days].flatMap((day) => day.map(csvLine));
    await writeFile(path, `${[CSV_HEADER, ...lines].join('\n')}\n`);
  },
  start({ input, output, recordsPerSecond }, options) {
    const tally = new Tally();
    const job = fraudJob(
      tallySink(tally, () => 0),
      {
        pace: (payments) =>
          recordsPerSecond === undefined ? payments : pacedSource(payments, recordsPerSecond),
      },
    );
    const params = { input, truth: ['fraud', 'scenario'] as const, alerts: output };
    return { handle: run(job, { ...options, params }), counts: () => tally.state(0) };
  },
};

function nexmark(query: 'q5' | 'q8' | 'q11', sinks: ChaosJob['sinks']): ChaosJob {
  const records = 200_000;
  return {
    records,
    sinks,
    input: 'events.ndjson',
    writeInput: (path) =>
      writeLines(path, generate({ seed: 7, events: records, rate: 500, disorderMs: 3_000 })),
    start({ input, output, recordsPerSecond: eventsPerSecond }, options) {
      const argument: SlotJob = { query, input, output, eventsPerSecond, from: 'file' };
      const threads = { module: slotModule, moduleArgument: argument };
      const handle = run(slotJob(argument), {
        ...options,
        ...(options.slots === 1 ? {} : threads),
      });
      return { handle, counts: () => null };
    },
  };
}

export const jobs: Readonly<Record<JobName, ChaosJob>> = {
  fraud,
  q5: nexmark('q5', 'file'),
  q8: nexmark('q8', 'parts'),
  q11: nexmark('q11', 'file'),
};
