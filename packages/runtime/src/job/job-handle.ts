import type { MillraceError } from '@millrace/core';
import type { CheckpointReport } from '../checkpoint/checkpoint-history.js';
import type { Manifest, SourcePart } from '../checkpoint/manifest.js';

/** How a job ended. */
export interface JobResult {
  readonly status: 'finished' | 'cancelled';
  readonly metrics: JobMetrics;
  /** From start to end, ms. */
  readonly durationMs: number;
}

/** A snapshot of all metrics, in Flink's names. */
export interface JobMetrics {
  /** By operator id: `numRecordsIn`, `numRecordsOut`, `currentInputWatermark`, … */
  readonly operators: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Records sent, by edge id. */
  readonly edges: Readonly<Record<string, { readonly records: number }>>;
}

/** The checkpoint that a job went on from; undefined when it began anew. */
export type ResumedFrom =
  | {
      readonly checkpoint: number;
      /** When it was taken, epoch ms. */
      readonly triggeredMs: number;
      /** Positions of the sources: splits with what their source says of them. */
      readonly sources: readonly SourcePart[];
      /** The job had read all its input: nothing is left to do. */
      readonly finished: boolean;
    }
  | undefined;

/** A job's checkpoints so far. */
export interface CheckpointProgress {
  /** Id of the newest committed one. */
  readonly committed: number | undefined;
  /** Committed and failed ones in `history`. */
  readonly completed: number;
  readonly failed: number;
  /** Why checkpoints cannot be stored at the moment; the job goes on without. */
  readonly alarm: MillraceError | undefined;
  /** The last ones, newest last. */
  readonly history: readonly CheckpointReport[];
}

/** Where a job stands. */
export interface JobProgress {
  readonly status: 'running' | 'finished' | 'cancelled' | 'failed';
  /** Records read by all sources. */
  readonly recordsIn: number;
  /** Records written to all sinks. */
  readonly recordsOut: number;
  /** Lowest watermark of the sinks, epoch ms; −∞ before the first, +∞ at the end. */
  readonly watermarkMs: number;
  readonly uptimeMs: number;
  /** Runs so far: one more with each restart after a failure. */
  readonly attempts: number;
  /** Undefined where none are taken. */
  readonly checkpoints: CheckpointProgress | undefined;
}

/** A running job. */
export interface JobHandle {
  readonly name: string;
  /**
   * Resolves when all input is dealt with, or the job was cancelled. Rejects with a
   * `MillraceError` that names job, operator and position when it failed.
   */
  readonly done: Promise<JobResult>;
  /** Resolves, once the job begins, with where it goes on. */
  readonly resumed: Promise<ResumedFrom>;
  /** Resolves when operators and connectors of the first attempt are open, ahead of all records. */
  readonly opened: Promise<void>;
  /** Stops the job where it stands; sinks are closed, not completed. Resolves when it is over. */
  cancel(): Promise<void>;
  /**
   * Takes a self-contained copy of all state into `savepoints/NAME` of the checkpoint folder.
   *
   * @throws MillraceError `ERR_INVALID_OPTION` without checkpoints, or when the name is taken;
   *   `ERR_CHECKPOINT_FAILED` when the job ends, or restarts, ahead of it
   */
  savepoint(name: string): Promise<Manifest>;
  /**
   * The same, and ends the job. `drain` ends the input first, so that all windows fire and all
   * timers are due: that is the job's end, and nothing begins with the savepoint. `suspend`
   * (default) leaves them as they are.
   */
  stopWithSavepoint(name: string, input?: 'suspend' | 'drain'): Promise<Manifest>;
  metrics(): JobMetrics;
  progress(): JobProgress;
}
