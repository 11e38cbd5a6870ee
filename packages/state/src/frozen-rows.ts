import type { Key } from '@millrace/core';
import type { AsidePlaces } from './aside-places.js';

/** What an epoch writes into a row's mark, above the epoch's own number. */
export const bornBy = 1;
export const encodedBy = 2;
export const epochStep = 4;
export const epochMax = 0xfff0;

/** Where the frozen content of a slot is. */
export const Frozen = { nowhere: -1, inPlace: -2 } as const;

/** What had changed up to a barrier. */
export interface FrozenChanges {
  readonly epoch: number;
  readonly all: boolean;
  readonly slots: Int32Array;
  readonly count: number;
  readonly removedKeys: readonly Key[];
}

/** What a snapshot has to write of one table. */
export interface FrozenRows {
  /** The epoch that the barrier ended. */
  readonly epoch: number;
  /** All rows `0 … high − 1` that were live; otherwise the listed slots. */
  readonly all: boolean;
  readonly high: number;
  readonly slots: Int32Array;
  /** Of slots, listed or all; some may be free. */
  readonly count: number;
  readonly removedKeys: readonly Key[];
  readonly aside: AsidePlaces;
}

/** What `marks` has for rows of a snapshot that have been encoded. */
export const encodedMark = ({ epoch }: FrozenRows): number => epoch + encodedBy;

/** The least mark of a row that the snapshot still needs in place; the greatest is below `encodedMark`. */
export const pendingMark = ({ epoch, all }: FrozenRows): number => (all ? 0 : epoch);

/** Whether a row with this mark still is as it was at the barrier and not encoded. */
export function isPending(mark: number, { epoch, all }: FrozenRows): boolean {
  return all ? mark < epoch + encodedBy : mark === epoch || mark === epoch + bornBy;
}
