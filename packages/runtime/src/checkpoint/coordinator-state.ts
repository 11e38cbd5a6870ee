import type { MillraceError } from '@millrace/core';
import type { CheckpointMode } from '@millrace/core/spi';
import type { CheckpointKind } from './manifest.js';
import type { Retention } from './retention.js';

/** How often checkpoints are taken, and what is endured. */
export interface CheckpointSchedule {
  /** From the start of one to the start of the next, ms. */
  readonly intervalMs: number;
  /** From the end of one to the start of the next, ms. */
  readonly pauseMs: number;
  /** From the start until it is given up, ms. */
  readonly timeoutMs: number;
  /**
   * From the trigger until one whose barriers are still on their way is given up in favour of one
   * whose barriers overtake, ms.
   */
  readonly alignmentTimeoutMs: number;
  /** Whether barriers may overtake, which makes what waits in channels part of the checkpoint. */
  readonly unaligned: 'allowed' | 'never';
  /** Failed ones in a row, beyond which the attempt fails. Failures of storage do not count. */
  readonly toleratedFailures: number;
  /** Committed ones that are kept; at least 1. */
  readonly retained: number;
}

/** Somebody waits for the answer, which has the same number. */
export type CheckpointRequest =
  | {
      readonly kind: 'savepoint';
      readonly number: number;
      readonly name: string;
      /** `stop`: it is the last one of the attempt. */
      readonly afterwards: 'go on' | 'stop';
    }
  | { readonly kind: 'final'; readonly number: number };

/** A checkpoint that is being taken. `request` is undefined for one that the interval began. */
export interface CheckpointInProgress {
  readonly id: number;
  readonly request: CheckpointRequest | undefined;
  readonly mode: CheckpointMode;
  readonly startedMs: number;
}

export type Phase =
  | { readonly kind: 'idle' }
  /** Its id is being made durable, so that it is never used again. */
  | { readonly kind: 'reserving'; readonly checkpoint: CheckpointInProgress }
  | {
      readonly kind: 'collecting';
      readonly checkpoint: CheckpointInProgress;
      readonly triggeredMs: number;
      /** Tasks that have not acknowledged. */
      readonly missing: ReadonlySet<string>;
      readonly references: ReadonlySet<string>;
    }
  | {
      readonly kind: 'writing' | 'committing';
      readonly checkpoint: CheckpointInProgress;
      /** Blobs: segments, and once it is written the manifest. */
      readonly references: ReadonlySet<string>;
    }
  /** Committed; a savepoint's folder is being filled from it. */
  | { readonly kind: 'copying'; readonly checkpoint: CheckpointInProgress };

export interface CoordinatorState {
  readonly schedule: CheckpointSchedule;
  readonly phase: Phase;
  /** Undefined between attempts. */
  readonly tasks: ReadonlySet<string> | undefined;
  /**
   * `draining`: sources end where they stand, and checkpoints say so: no attempt reads on from them.
   * They are aligned, like all that are asked for. `resting`: the final checkpoint or one to
   * stop with was taken.
   */
  readonly life: 'running' | 'draining' | 'resting';
  readonly requests: readonly CheckpointRequest[];
  readonly nextId: number;
  /** Largest id that may be used as the commit record stands. */
  readonly reservedId: number;
  /** Last committed checkpoint. */
  readonly committed: number | undefined;
  /** When the interval, or whoever is in a hurry, wants the next one. */
  readonly dueMs: number;
  /** None is begun earlier, except a requested one. */
  readonly pausedUntilMs: number;
  /** A final one that failed is not tried again earlier. */
  readonly finalRetryMs: number;
  readonly failuresInRow: number;
  /** Checkpoints that were not aligned in time since the last commit. */
  readonly alignmentTimeoutsInRow: number;
  /** Of the next one that the interval begins: requested ones are aligned always. */
  readonly nextMode: CheckpointMode;
  readonly alarm: 'raised' | 'clear';
  /** Why the job, or the record of it, is not this coordinator's any more: it begins nothing. */
  readonly loss: MillraceError | undefined;
  readonly retention: Retention;
  /** The wake-up that was asked for last. */
  readonly wakeAtMs: number | undefined;
}

/** `nowMs` is on a monotonic clock. */
export type CoordinatorEvent = { readonly nowMs: number } & (
  | {
      readonly kind: 'attempt started';
      readonly tasks: readonly string[];
      /** `draining`: its input ends where it stands, ahead of the first record. */
      readonly life: 'running' | 'draining';
    }
  | { readonly kind: 'attempt ended' }
  | { readonly kind: 'woken' }
  | { readonly kind: 'requested'; readonly request: CheckpointRequest }
  /** The next one is wanted ahead of the interval, as soon as the pause allows. */
  | { readonly kind: 'hurried' }
  /** The input of all sources ends where it stands. */
  | { readonly kind: 'drained' }
  | {
      readonly kind: 'acknowledged';
      readonly task: string;
      readonly checkpoint: number;
      /** The blobs of the task's chain, and output that its sinks have not published. */
      readonly references: readonly string[];
    }
  | {
      readonly kind: 'declined';
      readonly task: string;
      readonly checkpoint: number;
      readonly error: MillraceError;
    }
  // What became of effects
  | { readonly kind: 'reserved'; readonly checkpoint: number }
  | { readonly kind: 'manifest written'; readonly checkpoint: number; readonly blob: string }
  | { readonly kind: 'committed'; readonly checkpoint: number }
  | { readonly kind: 'copied'; readonly checkpoint: number }
  | { readonly kind: 'failed'; readonly checkpoint: number; readonly error: MillraceError }
);

export type CoordinatorEffect =
  /** Stamp the commit record: ids to this one may be used. */
  | { readonly kind: 'reserve'; readonly checkpoint: number }
  | {
      readonly kind: 'trigger';
      readonly checkpoint: number;
      readonly as: CheckpointKind;
      readonly mode: CheckpointMode;
      /** The end of input may be ahead of its barriers. */
      readonly isDrained: boolean;
    }
  | { readonly kind: 'abort'; readonly checkpoint: number }
  | { readonly kind: 'write manifest'; readonly checkpoint: number; readonly as: CheckpointKind }
  | {
      readonly kind: 'commit';
      readonly checkpoint: number;
      readonly as: CheckpointKind;
      /** Ids to this one are reserved with it. */
      readonly lastId: number;
      /** Older checkpoints that stay, newest first. */
      readonly retained: readonly number[];
    }
  | { readonly kind: 'copy savepoint'; readonly checkpoint: number; readonly name: string }
  /** Cumulative: this one and all before it are committed. May repeat. */
  | { readonly kind: 'notify'; readonly checkpoint: number }
  | { readonly kind: 'delete'; readonly blobs: readonly string[] }
  | { readonly kind: 'raise alarm'; readonly error: MillraceError }
  | { readonly kind: 'clear alarm' }
  | { readonly kind: 'fail attempt'; readonly error: MillraceError }
  | { readonly kind: 'answer'; readonly request: number; readonly error?: MillraceError }
  | {
      readonly kind: 'ended';
      readonly checkpoint: number;
      readonly as: CheckpointKind;
      readonly mode: CheckpointMode;
      readonly durationMs: number;
      /** Undefined when it was committed. */
      readonly error: MillraceError | undefined;
    }
  | { readonly kind: 'refuse'; readonly task: string; readonly checkpoint: number }
  /** Instead of the wake-up that was asked for before; undefined: none. */
  | { readonly kind: 'wake at'; readonly atMs: number | undefined };

/** What the meta store or the checkpoint store is asked for. */
export type StoreEffect = Extract<
  CoordinatorEffect,
  { kind: 'reserve' | 'write manifest' | 'commit' | 'copy savepoint' | 'delete' }
>;

/** An event whose time is still to be read. */
export type UntimedEvent = DistributiveOmit<CoordinatorEvent, 'nowMs'>;

/** `Omit` takes only what all members of a union have; this keeps the members apart. */
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export function kindOf({ request }: CheckpointInProgress): CheckpointKind {
  return request?.kind ?? 'checkpoint';
}
