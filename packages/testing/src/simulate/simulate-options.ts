import type { JobParams } from '@millrace/core';
import type { SeededRandom } from '../simulation/seeded-random.js';
import type { Expectation } from './oracles/oracle.js';
import type { UserFault } from './user-faults.js';

/** What sources give: by their ids, records or a function that draws them for each seed. */
export interface SimulationInput {
  readonly [source: string]: readonly unknown[] | ((random: SeededRandom) => readonly unknown[]);
}

/** Type of a source's records. */
export type InputRecord<
  I extends SimulationInput,
  S extends keyof I,
> = I[S] extends readonly (infer R)[]
  ? R
  : I[S] extends (random: SeededRandom) => readonly (infer R)[]
    ? R
    : never;

/** The records of one run, by source. */
export type InputOf<I extends SimulationInput> = {
  readonly [S in keyof I]: readonly InputRecord<I, S>[];
} & {};

/** What a run has committed: values by sink, in the order in which they were published. */
export interface SimulationOutputs {
  readonly [sink: string]: readonly unknown[];
}

/** Options of {@link simulate}. */
export interface SimulateOptions<P extends JobParams, I extends SimulationInput> {
  /** What each source of the job gives. A split keeps the order of this list. */
  readonly input: I;
  /** Overrides of the job's params, by name. */
  readonly params?: Partial<P> | undefined;
  /** How many seeds, from 1 on, or which ones. Default 50. */
  readonly seeds?: number | readonly number[] | undefined;
  /** Which kinds of faults seeds may have; each has some of them. Default `all`. */
  readonly faults?: 'all' | 'none' | readonly UserFault[] | undefined;
  /**
   * How a source is cut into splits, which are read side by side: a number (records in turns), or
   * a function that names a record's split. Default 1. Records of different splits come in any order.
   */
  readonly splits?:
    | { readonly [S in keyof I]?: number | ((record: InputRecord<I, S>) => string | number) }
    | undefined;
  /** Event times, epoch ms, of sources whose watermark strategy leaves them to the source. */
  readonly timestamps?:
    | { readonly [S in keyof I]?: (record: InputRecord<I, S>) => number }
    | undefined;
  /** How many slots a process may have. Default 1, 2 or 3: each start draws one. */
  readonly slots?: number | readonly number[] | undefined;
  /** What has to hold. Default `[exactlyOnce()]`. */
  readonly expect?: readonly Expectation<I>[] | undefined;
  /** Called ahead of each run of the job: clears what functions write to outside of it. */
  readonly beforeRun?: (() => void) | undefined;
  /** Runs that making a failing case smaller may take. Default 60. */
  readonly minimiseRunsMax?: number | undefined;
}

/** What {@link simulate} has done, in figures. */
export interface SimulationReport {
  readonly seeds: number;
  /** Runs of the job, with those that others are compared with. */
  readonly runs: number;
  /** Records read by all runs, each counted once for a run. */
  readonly records: number;
  /** Processes that ran the job, in runs with faults. */
  readonly starts: number;
  readonly committedCheckpoints: number;
  /** Faults that hit something, by kind. */
  readonly effectiveFaults: Readonly<Partial<Record<UserFault, number>>>;
  /** Of all runs: the same for the same job, options and code. */
  readonly traceHash: string;
}
