import type { ErrorCode } from '@millrace/core';
import { type Fence, type FenceMarker, isSamePosition } from './fence-marker.js';
import { rolledBack, whoOf } from './fence-opening.js';

/** What is known after a chunk was refused, or nobody answered. */
export interface RefusalFacts {
  /** What was to be stored, behind the fence at `expected` (0: there was none). */
  readonly marker: FenceMarker;
  readonly expected: number;
  /** The fence as it was read since. */
  readonly fence: Fence | undefined;
}

export type RefusalDecision =
  /** An earlier try had succeeded. */
  | { readonly kind: 'stored'; readonly sequence: number }
  | { readonly kind: 'try again' }
  | {
      readonly kind: 'refuse';
      readonly code: ErrorCode;
      readonly detail: string;
      /** A server that lags behind could have said so: worth another look. */
      readonly mayBeStale: boolean;
    };

/** Decides what a failed try to publish behind a fence means. */
export function decideRefusal({ marker, expected, fence }: RefusalFacts): RefusalDecision {
  const sequence = fence?.sequence ?? 0;
  if (sequence === expected) return { kind: 'try again' };
  if (fence === undefined || sequence < expected) {
    const detail = rolledBack(sequence, expected);
    return { kind: 'refuse', code: 'ERR_SINK_CHANGED', detail, mayBeStale: true };
  }
  if (fence.marker.lineage === marker.lineage && isSamePosition(fence.marker, marker)) {
    return { kind: 'stored', sequence };
  }
  const detail =
    `${whoOf(fence)} was published by another process, ahead of checkpoint ` +
    `${marker.checkpoint} of history ${marker.lineage} here`;
  return { kind: 'refuse', code: 'ERR_SINK_FENCED', detail, mayBeStale: false };
}
