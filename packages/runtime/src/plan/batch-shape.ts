import type { LogicalEdge } from '@millrace/core';

/** Columns that the batches of an output have beside timestamps. */
export interface BatchShape {
  /** False: only keys and columns are there. */
  readonly values: boolean;
  readonly keys: boolean;
  readonly columns: readonly ('number' | 'any')[];
}

/** Of records as they are. */
export const plainShape: BatchShape = { values: true, keys: false, columns: [] };

/** Of batches behind the extraction of keys. */
export function keyedShape({ partitioning }: LogicalEdge): BatchShape {
  const { inputs = [], values = true } = partitioning.projection ?? {};
  return { values, keys: true, columns: inputs };
}
