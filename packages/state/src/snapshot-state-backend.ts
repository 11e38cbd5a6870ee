import type { KeyGroupRange } from '@millrace/core/internal';
import type { StateBackend } from '@millrace/core/spi';
import type { BlockSink } from './block-builder.js';
import type { StepResult } from './group-order.js';
import type { Block, StateLayout } from './segment/block.js';
import type { LoadedFrom, StatePart } from './state-part.js';

export interface StateBackendOptions {
  /** `tracked`: snapshots can be taken. Default `untracked`. */
  readonly tracking?: 'tracked' | 'untracked' | undefined;
  /** Key groups of the job. */
  readonly groupCount: number;
  /** Key groups of this subtask. */
  readonly groups: KeyGroupRange;
}

/**
 * A state backend of which snapshots are taken at barriers and written between batches.
 *
 * Order of calls: what states there are is declared, then `load` for each block of what is
 * restored, ahead of everything else. Then, for each snapshot, `freeze` for each operator when it
 * has the barrier, and `step` until done after the last of them, in between as well. `abandon` when
 * the snapshot has failed, or when it was written and then lost.
 */
export interface SnapshotStateBackend extends StateBackend {
  /** All states, for the check ahead of a restore. */
  states(): readonly Pick<StatePart, 'layout' | 'migrates' | 'stamps'>[];
  /** Estimate of the memory in use by an operator's state. */
  bytesOf(operator: string): number;
  operators(): readonly string[];
  /**
   * How often the operator has read a row from outside memory that was not prefetched: each such
   * read blocks the thread. For backends that keep rows elsewhere.
   */
  syncReads?(operator: string): number;
  /**
   * What the operator's state is now belongs to the snapshot; takes no time that grows with the
   * state.
   *
   * @throws MillraceError `ERR_INVARIANT` while the last one is neither written nor abandoned
   */
  freeze(operator: string): void;
  /** Writes about `rowsMax` rows of what was frozen; state may change in any way in between. */
  step(sink: BlockSink, rowsMax: number): StepResult;
  /**
   * The snapshot in progress, or the last one, is lost: the next one takes everything. Also called
   * after a restore when the snapshots to come are not to follow those that were loaded.
   */
  abandon(): void;
  /**
   * Applies a block of a snapshot, in the order of its chain.
   *
   * @throws MillraceError `ERR_STATE_INCOMPATIBLE`
   */
  load(layout: StateLayout, block: Block, from?: LoadedFrom): void;
}
