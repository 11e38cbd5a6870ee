import type { SourceChunk, Split } from '@millrace/core/spi';

/** Reads one split in order. Made by a source, driven by the `SplitQueueReader`. */
export interface SplitCursor<T> {
  /**
   * Whether `poll` would get on: there are records, the end, or a failure to throw. A cursor that
   * reads in the background calls `wake` when this becomes true.
   */
  readonly isReady: boolean;
  /**
   * Whether `poll` is known to have returned all that is there: not while something is awaited.
   * Left out where that can never be known.
   */
  readonly isEmpty?: boolean;
  /**
   * The next records, at most `max`, or undefined. The values are a fresh array, which the engine
   * keeps. The chunk with `splitEnded` is the last; the cursor has freed its resources by then.
   */
  poll(max: number): SourceChunk<T> | undefined;
  /** Behind the last record that `poll` returned: JSON; undefined where it cannot be repeated. */
  position(): unknown;
  /** Frees what is open, when the job ends before the split does. */
  close?(): Promise<void>;
}

/** Opens a split at its position; `wake` says that the cursor has become ready. */
export type OpenCursor<T> = (split: Split, wake: () => void) => SplitCursor<T>;
