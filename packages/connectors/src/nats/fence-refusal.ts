import type { ErrorCode } from '@millrace/core';
import { type Fence, type FenceMarker, isSamePosition } from './fence-marker.js';
import { behind, rolledBack, type StagedEntry, whoOf } from './fence-opening.js';

/** What is known after a chunk was refused, or nobody answered. */
export interface RefusalFacts {
  /** What was to be stored, behind the fence at `expected` (0: there was none). */
  readonly marker: FenceMarker;
  readonly expected: number;
  /** What is committed and not known to be published, the marker's among them. */
  readonly entries: readonly StagedEntry[];
  /** The fence as it was read since. */
  readonly fence: Fence | undefined;
}

export type RefusalDecision =
  /** An earlier try had succeeded, or another process has stored the same and maybe more. */
  | { readonly kind: 'stored'; readonly fence: Fence }
  | { readonly kind: 'try again' }
  | {
      readonly kind: 'refuse';
      readonly code: ErrorCode;
      readonly detail: string;
      /** A server that lags behind could have said so: worth another look. */
      readonly mayBeStale: boolean;
    };

/**
 * Decides what a failed try to publish behind a fence means.
 *
 * A process that was taken for dead may publish the same as its successor: what belongs to the same
 * checkpoints is the same, so whoever finds it stored goes on behind it.
 */
export function decideRefusal(facts: RefusalFacts): RefusalDecision {
  const { marker, expected, entries, fence } = facts;
  const sequence = fence?.sequence ?? 0;
  if (sequence === expected) return { kind: 'try again' };
  if (fence === undefined || sequence < expected) {
    const detail = rolledBack(sequence, expected);
    return { kind: 'refuse', code: 'ERR_SINK_CHANGED', detail, mayBeStale: true };
  }
  if (fence.marker.lineage === marker.lineage) {
    const isKnown = entries.some(({ checkpoint }) => checkpoint === fence.marker.checkpoint);
    const isFurther = isKnown && behind(fence.marker, entries) !== undefined;
    if (isFurther || isSamePosition(fence.marker, marker)) return { kind: 'stored', fence };
  }
  const detail =
    `${whoOf(fence)} was published by another process, ahead of checkpoint ` +
    `${marker.checkpoint} of history ${marker.lineage} here`;
  return { kind: 'refuse', code: 'ERR_SINK_FENCED', detail, mayBeStale: false };
}
