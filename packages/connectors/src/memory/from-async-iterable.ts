import type { Source, SourceChunk, Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { assertWhole } from '../option-checks.js';
import { fixedEnumerator } from '../reading/fixed-enumerator.js';
import { ReadAhead } from '../reading/read-ahead.js';
import type { SplitCursor } from '../reading/split-cursor.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';
import type { FromIterableOptions } from './from-iterable.js';
import { endedEarly, FreshIterators } from './repeatable-iteration.js';

/** What the source cannot know about an iteration, and how far ahead it asks. */
export interface FromAsyncIterableOptions extends FromIterableOptions {
  /** Records asked for ahead of the job. Default `prefetchRecordsMax`, 1,024. */
  readonly prefetchMax?: number | undefined;
}

/**
 * A source that iterates over what a factory gives, such as an async generator; the factory is
 * called when the job starts and again at each restart.
 *
 * A rejection fails the job as ERR_SOURCE_FAILED. An iteration that is said to repeat fails it as
 * `fromIterable` does. Throws ERR_INVALID_OPTION when `prefetchMax` is
 * no whole number from 1 on.
 *
 * @example
 * job.source('pages', fromAsyncIterable(() => fetchPages(url), { bounded: false }))
 */
export function fromAsyncIterable<T>(
  iterate: () => AsyncIterable<T>,
  options: FromAsyncIterableOptions = {},
): Source<T> {
  const repeats = options.repeats ?? false;
  const itemsMax = options.prefetchMax ?? connectorLimits.prefetchRecordsMax;
  assertWhole('prefetchMax', itemsMax, 1);
  const fresh = new FreshIterators();
  return {
    type: 'asyncIterable',
    replay: repeats ? 'exact' : 'none',
    bounded: options.bounded ?? true,
    settings: { repeats, prefetchMax: itemsMax },
    createEnumerator: (_context, snapshot) => fixedEnumerator(async () => [{ id: '0' }], snapshot),
    createReader: () =>
      new SplitQueueReader((split, wake) => {
        const iterator = iterate()[Symbol.asyncIterator]();
        if (repeats) fresh.take(iterator);
        const ahead = new ReadAhead({ [Symbol.asyncIterator]: () => iterator }, { itemsMax, wake });
        return new AsyncIterableCursor(ahead, split, repeats);
      }),
  };
}

/** Position: how many records have been read. */
class AsyncIterableCursor<T> implements SplitCursor<T> {
  private readonly ahead: ReadAhead<T>;
  private readonly split: string;
  private readonly repeats: boolean;
  private toSkip: number;
  private read: number;

  constructor(ahead: ReadAhead<T>, split: Split, repeats: boolean) {
    this.ahead = ahead;
    this.split = split.id;
    this.repeats = repeats;
    this.read = repeats && typeof split.position === 'number' ? split.position : 0;
    this.toSkip = this.read;
  }

  get isReady(): boolean {
    return this.ahead.isReady;
  }

  poll(max: number): SourceChunk<T> | undefined {
    if (this.toSkip > 0) this.toSkip -= this.ahead.take(this.toSkip).length;
    if (this.toSkip > 0 && this.ahead.hasEnded)
      throw endedEarly(this.read - this.toSkip, this.read);
    const values = this.ahead.take(max);
    const splitEnded = this.ahead.hasEnded;
    if (values.length === 0 && !splitEnded) return undefined;
    const first = this.read;
    this.read += values.length;
    const positionOf = (at: number) => String(first + at);
    return { split: this.split, values, start: 0, count: values.length, positionOf, splitEnded };
  }

  position(): number | undefined {
    return this.repeats ? this.read : undefined;
  }

  close(): Promise<void> {
    return this.ahead.close();
  }
}
