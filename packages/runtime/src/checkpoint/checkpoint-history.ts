import type { MillraceError } from '@millrace/core';
import { runtimeLimits } from '../limits.js';
import type { CoordinatorEffect } from './coordinator-state.js';
import type { CheckpointKind } from './manifest.js';

/** A checkpoint that was taken, or failed. */
export interface CheckpointReport {
  readonly checkpoint: number;
  readonly kind: CheckpointKind;
  /** Epoch ms. */
  readonly endedMs: number;
  readonly durationMs: number;
  /** Of all segments it refers to, as far as tasks have acknowledged it. */
  readonly bytes: number;
  /** How long the slowest task stood still for it, ms; the rest goes on between batches. */
  readonly syncMs: number;
  /** Undefined when it was committed. */
  readonly error: MillraceError | undefined;
}

/** The last checkpoints. */
export class History {
  private list: readonly CheckpointReport[] = [];

  get reports(): readonly CheckpointReport[] {
    return this.list;
  }

  add(
    ended: Extract<CoordinatorEffect, { kind: 'ended' }>,
    { endedMs, bytes, syncMs }: Pick<CheckpointReport, 'endedMs' | 'bytes' | 'syncMs'>,
  ): void {
    const { checkpoint, as: kind, durationMs, error } = ended;
    const report = { checkpoint, kind, endedMs, durationMs, bytes, syncMs, error };
    this.list = [...this.list, report].slice(-runtimeLimits.checkpointHistoryMax);
  }
}
