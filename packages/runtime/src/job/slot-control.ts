import type { MillraceError } from '@millrace/core';
import type { CheckpointMode, Split } from '@millrace/core/spi';
import type { TaskSnapshot } from '../checkpoint/manifest.js';
import type { DeclaredState } from '../checkpoint/state-difference.js';

/** States of sources' enumerators, by source. */
export type EnumeratorStates = Readonly<Record<string, unknown>>;

/** Metrics of a slot at a moment. */
export interface SlotMetrics {
  readonly operators: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Records sent, by edge id. */
  readonly edges: Readonly<Record<string, number>>;
}

/**
 * A slot as whoever leads the attempt sees it, in this thread or another one. A slot belongs to one
 * attempt of one job.
 *
 * Order of calls: `build`, then `open`, then `start`; the others in any order after `open`. What is
 * said between two calls arrives between them: an assignment made ahead of a checkpoint is part of
 * it, one made behind it is not.
 */
export interface SlotControl {
  /** Resolves with what the operators have declared, once they exist. */
  build(): Promise<readonly DeclaredState[]>;
  /** Restores state and opens operators and connectors; no record is read before `start`. */
  open(): Promise<void>;
  /** Runs. Resolves when all has ended, or was cancelled; rejects when it failed. */
  start(): Promise<'finished' | 'cancelled'>;
  /** Takes a task's part of a checkpoint. */
  trigger(
    task: string,
    checkpoint: number,
    enumerators: EnumeratorStates,
    mode: CheckpointMode,
  ): void;
  abort(task: string, checkpoint: number): void;
  /** The checkpoint and all before it are committed. */
  committed(task: string, checkpoint: number): void;
  /** Gives a subtask of a source splits to read; with `end` there will be no more. */
  assign(source: string, subtask: number, splits: readonly Split[], end: boolean): void;
  /** In the other slots the slowest member of an alignment group is so far, epoch ms. */
  align(group: string, othersMs: number): void;
  /** Ends the input of all sources where it stands. */
  drain(): void;
  /** Closes the channels of sources, which are held open at the end of their input. */
  release(): void;
  /** Resolves when sinks have published all that is committed. */
  sinksQuiet(): Promise<void>;
  /** Ends where it stands. */
  cancel(): void;
  /** Something outside the slot has failed the attempt. */
  fail(error: MillraceError): void;
  metrics(): SlotMetrics;
  /** Frees everything; after this nothing of the slot runs. Also after a failure. */
  close(): Promise<void>;
}

/** What a slot tells whoever leads the attempt. */
export interface SlotListener {
  acknowledged(task: string, checkpoint: number, snapshot: TaskSnapshot): void;
  declined(task: string, checkpoint: number, error: MillraceError): void;
  /** A subtask of a source has no more records. */
  sourceEnded(): void;
  /** State would like a checkpoint soon, to get rid of what it keeps for the next one. */
  wantsCheckpoint(): void;
  /** The slowest member of an alignment group in a slot is so far, epoch ms; said now and then. */
  aligned(slot: number, group: string, lowestMs: number): void;
  /**
   * A lane has failed behind the end of all that runs in the slot: another slot may wait for what
   * was still on its way.
   */
  failed(error: MillraceError): void;
}
