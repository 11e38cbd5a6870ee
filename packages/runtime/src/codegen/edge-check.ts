import type { LogicalEdge } from '@millrace/core';
import { coreLimits } from '@millrace/core/internal';
import { checkOnEdge } from '../engine/checked-record.js';

/**
 * Checks the first records of a keyed edge that a fused loop takes without a batch: what another
 * slot could not be sent fails with one slot, too.
 */
class EdgeCheck {
  /** Records that are still to be checked; see `checkedRecordsPerEdge`. */
  left: number = coreLimits.checkedRecordsPerEdge;
  /** Whether a record was refused: that is no failure of its record, and no policy is asked. */
  refused = false;
  private readonly operator: string;

  /** @param operator whose output the records are */
  constructor(operator: string) {
    this.operator = operator;
  }

  take(value: unknown): void {
    this.left -= 1;
    this.refused = true;
    checkOnEdge(value, this.operator);
    this.refused = false;
  }
}

interface EdgeCheckText {
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  /** Ahead of the operator's work on `value`. */
  readonly record: string;
  /** Further condition under which an error is no failure of its record. */
  readonly refused: string;
}

/** Text of the check; where nothing is checked, or records stay behind, there is none. */
export function edgeCheckText(
  { from, partitioning }: LogicalEdge,
  checkRecords: 'on' | 'off',
): EdgeCheckText {
  const withRecords = partitioning.projection?.values ?? true;
  if (checkRecords === 'off' || !withRecords) {
    return { names: [], values: [], record: '', refused: '' };
  }
  return {
    names: ['edgeCheck'],
    values: [new EdgeCheck(from)],
    record: 'if (edgeCheck.left > 0) edgeCheck.take(value);',
    refused: ' || edgeCheck.refused',
  };
}
