import type { MillraceError } from '@millrace/core';
import type { CheckpointMode } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import type { CoordinatorEffect } from './coordinator-state.js';
import type { CheckpointKind } from './manifest.js';

/** A checkpoint that was taken, or failed. */
export interface CheckpointReport {
  readonly checkpoint: number;
  readonly kind: CheckpointKind;
  readonly mode: CheckpointMode;
  /** Epoch ms. */
  readonly endedMs: number;
  readonly durationMs: number;
  /** Of all blobs it refers to, as far as tasks have acknowledged it. */
  readonly bytes: number;
  /** Of them, what waited in channels: an unaligned one has that, too. */
  readonly channelBytes: number;
  /** How long the slowest task stood still for it, ms; the rest goes on between batches. */
  readonly syncMs: number;
  /** From the trigger until the barrier had been everywhere in the slowest task, ms. */
  readonly alignmentMs: number;
  /** Undefined when it was committed. */
  readonly error: MillraceError | undefined;
}

/** What tasks have said of a checkpoint. */
export type CheckpointMeasures = Pick<
  CheckpointReport,
  'bytes' | 'channelBytes' | 'syncMs' | 'alignmentMs'
>;

/** The last checkpoints. */
export class History {
  private list: readonly CheckpointReport[] = [];

  get reports(): readonly CheckpointReport[] {
    return this.list;
  }

  add(
    ended: Extract<CoordinatorEffect, { kind: 'ended' }>,
    endedMs: number,
    measured: CheckpointMeasures,
  ): void {
    const { checkpoint, as: kind, mode, durationMs, error } = ended;
    const report = { checkpoint, kind, mode, endedMs, durationMs, ...measured, error };
    this.list = [...this.list, report].slice(-runtimeLimits.checkpointHistoryMax);
  }
}
