import type { Failpoint, StepEvent } from '../life-protocol.js';
import type { StreamStep } from './sink-steps.js';

/** Where a process is to do something to itself or another one, and what. */
export interface Strike {
  readonly failpoint: Failpoint<StreamStep>;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** Undefined: itself. */
  readonly pid: number | undefined;
}

/** What a process that runs the job is told, as JSON in its first argument. */
export interface StreamLife {
  /** Its number, from 1. */
  readonly number: number;
  readonly servers: readonly string[];
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  /** Replicas of the output stream, where the job is to make it. */
  readonly createsOutput?: number | undefined;
  readonly strike?: Strike | undefined;
}

/** What it is told later, one JSON value a line, on its input. */
export type LifeCommand =
  | { readonly kind: 'arm'; readonly strike: Strike }
  /** Ends the input, lets all windows fire, takes a last checkpoint. */
  | { readonly kind: 'drain' };

/** What it says, one JSON value a line, on a pipe that outlives it. */
export type StreamLifeEvent =
  | StepEvent<StreamStep>
  | { readonly kind: 'resumed'; readonly checkpoint: number | null; readonly finished: boolean }
  /** The last payment has been read. */
  | { readonly kind: 'end of input' }
  /** The job goes on by itself after a failure. */
  | { readonly kind: 'restarts'; readonly error: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
