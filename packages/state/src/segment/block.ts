import type { Key } from '@millrace/core/spi';

/** Rows in a block at the most. */
export const blockRowsMax = 512;

/**
 * How a state's rows look in blocks. A row is identified by its operator, its state, its block's
 * namespace, its key, and the first `identity…` of its columns (e.g. the key inside a map).
 */
export interface StateLayout {
  readonly operator: string;
  /** Name of the state inside its operator. */
  readonly state: string;
  /** What the rows are, for the reader's check: `value`, `map`, `keyTable`, … */
  readonly kind: string;
  /** Version of the values' shape, for `migrate`. */
  readonly version: number;
  /** Distinguishes incompatible rows of the same kind, e.g. the aggregators of a table. */
  readonly shape: string;
  /** Columns of doubles, kept bit by bit but for NaN, which is one. */
  readonly numbers: number;
  /** Columns of bytes. */
  readonly blobs: number;
  /** How many number columns, from the first one, identify the row. */
  readonly identityNumbers: number;
  /** How many blob columns, from the first one, identify the row. */
  readonly identityBlobs: number;
}

/**
 * What a block says. Blocks act in the order in which they are written:
 * - `rows`: these rows are so from now on;
 * - `removals`: the rows with these identities are gone (only identity columns are filled);
 * - `keyRemovals`: all rows of these keys in this state and namespace are gone;
 * - `drop`: all rows of this state and namespace are gone; no rows.
 */
export type BlockKind = 'rows' | 'removals' | 'keyRemovals' | 'drop';

/** A column of bytes: row `i` is `bytes[ends[i − 1] … ends[i])`, from 0 for the first row. */
export interface BlobColumn {
  bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/**
 * Up to 512 rows as columns. The same object is filled again and again: who keeps anything of it
 * copies it.
 */
export interface BlockColumns {
  count: number;
  /** Key group of each row; rising. */
  readonly groups: Uint16Array;
  readonly keys: Key[];
  /**
   * Canonical bytes of the keys, which are written in place of `keys`. Readers leave it undefined.
   */
  keyBytes?: BlobColumn | undefined;
  /** One array of 512 for each number column. */
  readonly numbers: readonly Float64Array[];
  readonly blobs: readonly BlobColumn[];
}

/** A block and where it belongs. */
export interface Block {
  /** Index into the segment's layouts. */
  readonly layout: number;
  readonly kind: BlockKind;
  /** e.g. the slice or window of a table; the same number of numbers for all of a state. */
  readonly namespace: readonly number[];
  readonly columns: BlockColumns;
}
