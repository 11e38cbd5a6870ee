import type { EngineLimits } from './engine-limits.js';

/** A record of simulated jobs. */
export interface SimulatedRecord {
  /** Unique over all sources of a job. */
  readonly id: number;
  readonly key: number;
  /** Event time, epoch ms. */
  readonly at: number;
  readonly amount: number;
  /** Which of the records that a flatMap made of one; 0 for the first. */
  readonly part: number;
}

export interface SplitPlan {
  readonly id: string;
  readonly records: readonly SimulatedRecord[];
  /** When each can be read, virtual ms; growing. */
  readonly arrivalsMs: readonly number[];
}

export interface SourcePlan {
  readonly id: string;
  readonly splits: readonly SplitPlan[];
  /** How far behind the newest record of its split another may be, ms. */
  readonly outOfOrdernessMs: number;
  /** Processing time after which a split without records holds nothing up; undefined: never. */
  readonly idleAfterMs: number | undefined;
  /** Watermarks are sent where they cross a multiple of this, ms. */
  readonly stepMs: number;
  /** A chunk has at most so many records. */
  readonly chunkRecordsMax: number;
  /** Splits found by one look. */
  readonly foundAtOnce: number;
  /** How far ahead of the slowest split of all sources one may be, ms; undefined: as far as it likes. */
  readonly maxDriftMs: number | undefined;
}

/** An operator without state. */
export type StatelessPlan =
  | { readonly kind: 'map'; readonly add: number }
  /** Leaves out every so-manieth record. */
  | { readonly kind: 'filter'; readonly every: number }
  | { readonly kind: 'flatMap'; readonly copies: number }
  /** Throws at every so-manieth record, always; they become dead letters. */
  | { readonly kind: 'deadLetter'; readonly every: number }
  /** A place for faults: a function that throws when the world says so. */
  | { readonly kind: 'fallible' }
  /** A function that takes its time with each record, ms. */
  | { readonly kind: 'slow'; readonly ms: number };

export type KeyPlan = 'number' | 'string' | 'tuple';

export type WindowPlan =
  | { readonly kind: 'tumbling'; readonly sizeMs: number }
  | { readonly kind: 'sliding'; readonly sizeMs: number; readonly slideMs: number }
  | { readonly kind: 'session'; readonly gapMs: number };

/** What a branch does with records by key. */
export type KeyedPlan =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'window';
      readonly window: WindowPlan;
      readonly latenessMs: number;
      /** Windows of the windows' results follow. */
      readonly again: 'no' | 'tumbling';
    }
  /** Sums by key and stretch of time in state, given out by timers. */
  | { readonly kind: 'process'; readonly bucketMs: number }
  /** A running total by key: what comes of a record depends on those before it. */
  | { readonly kind: 'running' }
  /** Gives out what it has when the clock says so: records come together as time has it. */
  | { readonly kind: 'byClock'; readonly delayMs: number }
  /** The same as `process` over two inputs. */
  | { readonly kind: 'connect'; readonly bucketMs: number };

/** `staged`: exactly once, too, with its rows in the checkpoint store until they are published. */
export type SinkPlan = 'exactly-once' | 'staged' | 'at-least-once';

/**
 * Throws at every so-manieth record, always, in the key function or in the operator behind it; they
 * become dead letters.
 */
export interface RefusalPlan {
  readonly at: 'key' | 'operator';
  readonly every: number;
}

/** A way from one or two sources to sinks. */
export interface BranchPlan {
  readonly id: string;
  /** Indexes of sources; two are joined by union, or by `connect`. */
  readonly sources: readonly number[];
  readonly steps: readonly StatelessPlan[];
  readonly key: KeyPlan;
  readonly keyed: KeyedPlan;
  /** Of `connect`: of its left input. */
  readonly refuses?: RefusalPlan | undefined;
  readonly sink: SinkPlan;
  /** Time that the sink takes for each batch, ms. */
  readonly writeMs: number;
}

/**
 * A job as data: it can be printed, and made smaller.
 *
 * `determinate`: the output is the same however the run went. `conserving`: it depends on
 * processing time or on how splits mix; each record is still accounted for.
 */
export interface JobPlan {
  readonly kind: 'determinate' | 'conserving';
  readonly sources: readonly SourcePlan[];
  readonly branches: readonly BranchPlan[];
  readonly backend: 'heap' | 'level';
  /** For the level backend: little, so that rows are moved out. */
  readonly stateMemoryBytes: number;
  readonly codegen: 'on' | 'off';
  readonly checkRecords: 'on' | 'off';
  /** In how many slots the job runs: each process draws one of these. */
  readonly slots: readonly number[];
  /** What connects slots: links over a network that loses, or queues. Default: queues. */
  readonly lanes?: 'queues' | 'links' | undefined;
  /** Default: none, the engine's own. */
  readonly limits?: EngineLimits | undefined;
}

/** Records of all sources. */
export function recordsOf({ sources }: JobPlan): readonly SimulatedRecord[] {
  return sources.flatMap(({ splits }) => splits.flatMap(({ records }) => records));
}
