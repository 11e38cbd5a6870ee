import type { Source, SourceChunk, Split } from '@millrace/core/spi';
import { fixedEnumerator } from '../reading/fixed-enumerator.js';
import type { SplitCursor } from '../reading/split-cursor.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';
import { takeFrom } from '../reading/take-from-iterator.js';
import { endedEarly, FreshIterators } from './repeatable-iteration.js';

/** What the source cannot know about an iteration. */
export interface FromIterableOptions {
  /**
   * Whether each iteration gives the same records in the same order, also in another process.
   * Then the source replays exactly: after a restart it skips what had been read. Default false:
   * the source cannot replay.
   */
  readonly repeats?: boolean | undefined;
  /** Whether the iteration ends. Default true. */
  readonly bounded?: boolean | undefined;
}

/**
 * A source that iterates over what a factory gives; the factory is called when the job starts
 * and again at each restart.
 *
 * The iterator is asked only for what the job takes, and runs on the job's thread. What it throws
 * fails the job as ERR_SOURCE_FAILED. An iteration that is said to repeat fails it as
 * ERR_INVALID_OPTION when the factory gives the same iterator twice, and as ERR_SOURCE_CHANGED
 * when it ends before it came where it was.
 *
 * @example
 * job.source('ids', fromIterable(() => ids.values(), { repeats: true }))
 */
export function fromIterable<T>(
  iterate: () => Iterable<T>,
  options: FromIterableOptions = {},
): Source<T> {
  const repeats = options.repeats ?? false;
  const fresh = new FreshIterators();
  return {
    type: 'iterable',
    replay: repeats ? 'exact' : 'none',
    bounded: options.bounded ?? true,
    settings: { repeats },
    createEnumerator: (_context, snapshot) => fixedEnumerator(async () => [{ id: '0' }], snapshot),
    createReader: () =>
      new SplitQueueReader((split) => {
        const iterator = iterate()[Symbol.iterator]();
        return new IterableCursor(repeats ? fresh.take(iterator) : iterator, split, repeats);
      }),
  };
}

/** Position: how many records have been read. */
class IterableCursor<T> implements SplitCursor<T> {
  readonly isReady = true;
  private readonly iterator: Iterator<T>;
  private readonly split: string;
  private readonly repeats: boolean;
  private toSkip: number;
  private read: number;

  constructor(iterator: Iterator<T>, split: Split, repeats: boolean) {
    this.iterator = iterator;
    this.split = split.id;
    this.repeats = repeats;
    this.read = repeats && typeof split.position === 'number' ? split.position : 0;
    this.toSkip = this.read;
  }

  poll(max: number): SourceChunk<T> | undefined {
    // In steps, so that a long skip does not hold up the rest of the job.
    if (this.toSkip > 0) {
      const step = Math.min(max, this.toSkip);
      const skipped = takeFrom(this.iterator, step).length;
      this.toSkip -= skipped;
      if (skipped < step) throw endedEarly(this.read - this.toSkip, this.read);
      return undefined;
    }
    const values = takeFrom(this.iterator, max);
    return this.chunk(values, values.length < max);
  }

  position(): number | undefined {
    return this.repeats ? this.read : undefined;
  }

  async close(): Promise<void> {
    this.iterator.return?.();
  }

  private chunk(values: T[], splitEnded: boolean): SourceChunk<T> {
    const first = this.read;
    this.read += values.length;
    const positionOf = (at: number) => String(first + at);
    return { split: this.split, values, start: 0, count: values.length, positionOf, splitEnded };
  }
}
