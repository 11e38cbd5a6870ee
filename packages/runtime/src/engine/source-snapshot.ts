import type { Split } from '@millrace/core/spi';
import type { SourceTimeSnapshot } from './source-time.js';

/** A subtask of a source in a checkpoint: JSON. */
export interface SourceSnapshot {
  /**
   * The enumerator's own, with one of the subtasks; undefined when it had not been asked yet.
   */
  readonly enumerator?: unknown;
  /** Splits that are not read to their end, with their positions. */
  readonly splits: readonly Split[];
  readonly time: SourceTimeSnapshot;
}

/** What a subtask of a source goes on with. */
export type RestoredSource = Pick<SourceSnapshot, 'splits' | 'time'>;
