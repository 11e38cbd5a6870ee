import type { RunOptions } from '@millrace/runtime';
import type { CommitStep, Places } from './commit-steps.js';
import type { JobName } from './jobs.js';

/** Where a process is to kill itself. */
export type Failpoint<S extends string = CommitStep> =
  | {
      readonly kind: 'step';
      readonly step: S;
      /** `during`: a write has got half way; for other calls the same as `before`. */
      readonly moment: 'before' | 'during' | 'after';
      /** Counted from the first commit of the life on; the first is 1. */
      readonly occurrence: number;
    }
  /** Before a call of the storage, of whatever kind, counted from the start of the life. */
  | { readonly kind: 'start'; readonly call: number };

/** What a process that runs a job is told, as JSON in its first argument. */
export interface Life extends Places {
  readonly output: string;
  readonly job: JobName;
  readonly input: string;
  /** Undefined: without checkpoints. */
  readonly checkpointInterval: string | undefined;
  /** Undefined: as fast as it goes. */
  readonly recordsPerSecond: number | undefined;
  readonly backend: RunOptions['backend'];
  readonly slots: number;
  readonly failpoint: Failpoint | undefined;
}

/** What a process says of its steps. */
export type StepEvent<S extends string = CommitStep> =
  | { readonly kind: 'begun'; readonly step: S }
  | { readonly kind: 'ended'; readonly step: S }
  | { readonly kind: 'committed' }
  /** It kills now: itself, or what it was told to. */
  | { readonly kind: 'failpoint'; readonly step: S | 'start' };

/** What it says, one JSON value a line, on a pipe that outlives it. */
export type LifeEvent =
  | StepEvent
  | { readonly kind: 'resumed'; readonly checkpoint: number | null; readonly finished: boolean }
  /** The job's input has ended; what it counted, where it counts. */
  | { readonly kind: 'done'; readonly counts: unknown };

/** File descriptor of that pipe in the process. */
export const eventsFd = 3;
