import type { KeyGroupRange } from '@millrace/core/internal';
import type { StateTtl } from '@millrace/core/spi';
import type { BlockSink } from './block-builder.js';
import type { StepResult } from './group-order.js';
import type { Block, StateLayout } from './segment/block.js';

/** What times the entries of a state have, to count their time to live from. */
export type StampTime = 'none' | StateTtl['time'];

/** What is known of a block beside what is in it. */
export interface LoadedFrom {
  /**
   * Key groups that the block's chain has: a `drop` in it says nothing of others, which another
   * chain may have loaded. Undefined: all.
   */
  readonly chainGroups?: KeyGroupRange | undefined;
  /**
   * `old`: the times in it are of another time than the state's, or from before it last had none:
   * entries are loaded as if they had none. Default `own`.
   */
  readonly stamps?: 'own' | 'old' | undefined;
}

/** A block of this state, and the version of its values' shape. */
export interface StoredBlock extends Omit<Block, 'layout'>, LoadedFrom {
  readonly version: number;
}

/** Whether a key group is in a range; undefined: all are. */
export function isInGroups(group: number, range: KeyGroupRange | undefined): boolean {
  return range === undefined || (group >= range.first && group <= range.last);
}

/**
 * One state of an operator, as snapshots see it.
 *
 * Order of calls: `load` for each block of the chain in its order, ahead of everything else. Then
 * `freeze` at a barrier and `step` until done, before the next `freeze`; `abandon` instead of more
 * steps when the snapshot has failed, or `rewrite` when it was written and then lost.
 */
export interface StatePart {
  readonly layout: StateLayout;
  /** Whether values of other versions can be made into this layout's. */
  readonly migrates: boolean;
  /** Undefined: of a kind of state whose entries never have times. */
  readonly stamps?: StampTime | undefined;
  /** Estimate of the memory in use. */
  readonly bytes: number;
  /** What the state is now belongs to the snapshot. Takes no time that grows with the state. */
  freeze(): void;
  /** Writes about `rowsMax` rows of what was frozen. */
  step(sink: BlockSink, rowsMax: number): StepResult;
  /** Nothing that was frozen is needed any more; the next snapshot takes everything. */
  abandon(): void;
  /** What the last snapshot wrote is lost: the next one takes everything. */
  rewrite(): void;
  /** Applies a block of a snapshot. */
  load(block: StoredBlock): void;
}
