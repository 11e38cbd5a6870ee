import type { Env } from './env.js';
import type { Logger, MetricGroup } from './telemetry.js';

/** A part of a source that is read in order by one reader: a file, a subject, a range. */
export interface Split {
  /** Unique in the source and the same after a restart. */
  readonly id: string;
  /** Where reading goes on: JSON, the source's own. Undefined: from the start. */
  readonly position?: unknown;
}

/** Input that could not be decoded; the source's error policy decides what becomes of it. */
export interface BadInput {
  readonly error: unknown;
  readonly raw?: string | Uint8Array | undefined;
  /** e.g. line or sequence number in the split. */
  readonly position: string;
}

/**
 * Some records of one split. The arrays stay the reader's: they are valid until its next `poll`.
 */
export interface SourceChunk<T> {
  readonly split: string;
  readonly values: readonly T[];
  readonly start: number;
  /** Records from `start` on; at most the `max` given to `poll`. */
  readonly count: number;
  /** Event times by the same index as `values`, where the source knows them. */
  readonly timestamps?: Float64Array | undefined;
  /** What could not be decoded among these records. */
  readonly bad?: readonly BadInput[] | undefined;
  /**
   * Where a record stands in its split, for errors and dead letters: a line, a sequence. May be
   * asked long after the next `poll`, while the record or what came of it is on its way.
   */
  readonly positionOf?: ((index: number) => string) | undefined;
  /** This was the last chunk of the split. */
  readonly splitEnded?: boolean | undefined;
}

/**
 * Reads the splits that one subtask was given.
 *
 * Order of calls: `open`, then `addSplits` and `poll` in any order, `close` at the end.
 * `poll` never waits: without data it returns undefined and the engine waits for `available`.
 */
export interface SourceReader<T> {
  open?(): Promise<void>;
  addSplits(splits: readonly Split[]): void;
  /** No split will be added any more: with all of them ended, the reader has ended. */
  noMoreSplits(): void;
  /** The next chunk of any split that is not paused, `'end'` after the last, or nothing yet. */
  poll(max: number): SourceChunk<T> | 'end' | undefined;
  /** Resolves when `poll` may have something. Rejects when reading failed for good. */
  available(): Promise<void>;
  /** Paused splits give no records; used to align fast splits with slow ones. */
  pauseSplits(ids: readonly string[]): void;
  resumeSplits(ids: readonly string[]): void;
  /**
   * Whether a split is known to have nothing now: every record of it that is there was returned by
   * `poll`. Asked now and then between two calls of `poll`, of splits that were added, have not
   * ended and are not paused. Answers at once, from what is known, and changes nothing.
   *
   * False also when it cannot be known now: the split was not opened yet, its records are on their
   * way or cannot be had, some wait for their turn, or what the outside last said of it is old. A
   * split for which it is false is not idle; when it becomes so for one that was empty, `available`
   * resolves. One for which it is true for the strategy's `idleAfterMs` is idle, and records of it
   * that come later than that may be late: a false that is wrong costs time, a true that is wrong
   * costs records.
   *
   * Undefined where it can never be known, which is the same as without this method: the split is
   * idle only when `poll` has had nothing at all for so long.
   */
  isSplitEmpty?(id: string): boolean | undefined;
  /**
   * Splits with the position behind the last record that `poll` returned, for the checkpoint that
   * `committed` will name.
   */
  snapshot(checkpoint?: number): readonly Split[];
  /** Checkpoint `id` and all before it are committed: acknowledge what they cover. */
  committed?(id: number): Promise<void>;
  close?(): Promise<void>;
}

/** Finds the splits of a source and hands them out; one per source, with the coordinator. */
export interface SplitEnumerator {
  /** Splits found since the last call, in a fixed order; `'end'` when there will be no more. */
  discover(): Promise<{ readonly splits: readonly Split[]; readonly end: boolean }>;
  /** Unassigned splits and what discovery needs to go on: JSON. */
  snapshot(): unknown;
  close?(): Promise<void>;
}

export interface SourceContext {
  readonly operatorId: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly env: Env;
  readonly metrics: MetricGroup;
  readonly log: Logger;
}

/**
 * A place records come from.
 *
 * `replay: 'exact'` says: after a restart from a position the split gives the same records in the
 * same order. A checkpointed job refuses `'none'` unless it says `allowLoss`.
 */
export interface Source<T> {
  /** Names the kind of source in graphs and errors: `csv`, `jetstream`. */
  readonly type: string;
  readonly replay: 'exact' | 'none';
  readonly bounded: boolean;
  /** Subtasks that there may be at the most; undefined: as many as there are key groups. */
  readonly parallelismMax?: number | undefined;
  /** JSON that belongs to the job's fingerprint and to `describe`; no secrets. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  createEnumerator(context: SourceContext, snapshot?: unknown): SplitEnumerator;
  createReader(context: SourceContext): SourceReader<T>;
  /** Carries the record type; never set. */
  readonly record?: T;
}
