import type { Source, SourceChunk, SourceReader, SplitEnumerator } from '@millrace/core/spi';

const split = 'feed';

/** Consecutive records and their times (epoch ms); both hold `count` entries. */
export interface FeedBatch<T> {
  readonly values: readonly T[];
  readonly timestamps: Float64Array;
  readonly count: number;
}

/**
 * Records from memory, as one split. Batches are handed to the engine as they are: it may keep
 * their arrays, so nobody writes to them before the pipeline has let go of them.
 */
export class Feed<T> implements Source<T>, SourceReader<T> {
  readonly type = 'feed';
  readonly replay = 'none';
  readonly bounded = true;
  #batches: readonly FeedBatch<T>[] = [];
  #next = 0;
  #ended = false;
  /** Called when the reader is asked for more than there is. */
  #drained: (() => void) | undefined;
  #available: (() => void) | undefined;

  /**
   * Gives the job batches; resolves when it asks for more after them. The engine reads only when
   * nothing downstream has work, so by then they have been worked off.
   */
  push(batches: readonly FeedBatch<T>[]): Promise<void> {
    this.#batches = batches;
    this.#next = 0;
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#wake();
    });
  }

  /** Ends the input once what was pushed has been read. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  createEnumerator(): SplitEnumerator {
    return {
      discover: async () => ({ splits: [{ id: split }], end: true }),
      snapshot: () => null,
    };
  }

  createReader(): SourceReader<T> {
    return this;
  }

  addSplits(): void {}

  noMoreSplits(): void {}

  poll(): SourceChunk<T> | 'end' | undefined {
    const batch = this.#batches[this.#next];
    if (batch !== undefined) {
      this.#next++;
      const { values, timestamps, count } = batch;
      return { split, values, start: 0, count, timestamps };
    }
    this.#drained?.();
    this.#drained = undefined;
    return this.#ended ? 'end' : undefined;
  }

  available(): Promise<void> {
    return new Promise((resolve) => {
      this.#available = resolve;
      if (this.#next < this.#batches.length || this.#ended) this.#wake();
    });
  }

  pauseSplits(): void {}

  resumeSplits(): void {}

  snapshot(): [] {
    return [];
  }

  #wake(): void {
    this.#available?.();
    this.#available = undefined;
  }
}
