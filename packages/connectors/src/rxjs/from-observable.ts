import { MillraceError } from '@millrace/core';
import type { Counter, Source, SourceChunk, SourceContext } from '@millrace/core/spi';
import { type Observable, Subject, takeUntil } from 'rxjs';
import { assertWhole, refuseOption } from '../option-checks.js';
import { fixedEnumerator } from '../reading/fixed-enumerator.js';
import { RingBuffer } from '../reading/ring-buffer.js';
import type { SplitCursor } from '../reading/split-cursor.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';

/** What becomes of records that arrive while the buffer is full. */
export type OverflowPolicy = 'fail' | 'dropOldest' | 'dropNewest';

/** An Observable cannot be slowed down: how much to hold, and what to do with more. */
export interface FromObservableOptions {
  /** Records held until the job takes them. */
  readonly bufferMax: number;
  /** `fail` ends the job as ERR_SOURCE_OVERFLOW; the others count `numRecordsDropped`. */
  readonly onOverflow: OverflowPolicy;
  /** Whether the Observable completes. Default false. */
  readonly bounded?: boolean | undefined;
}

const policies: readonly OverflowPolicy[] = ['fail', 'dropOldest', 'dropNewest'];

/**
 * A source that subscribes to what a factory gives when the job starts, and again at each
 * restart; it cannot replay.
 *
 * Its completion ends the source, its error fails the job as ERR_SOURCE_FAILED. Throws
 * ERR_INVALID_OPTION when `bufferMax` is no whole number from 1 on or the policy is unknown.
 *
 * @example
 * job.source('ticks', fromObservable(() => interval(100), {
 *   bufferMax: 10_000, onOverflow: 'dropOldest',
 * }))
 */
export function fromObservable<T>(
  observe: () => Observable<T>,
  options: FromObservableOptions,
): Source<T> {
  const { bufferMax, onOverflow, bounded = false } = options;
  assertWhole('bufferMax', bufferMax, 1);
  if (!policies.includes(onOverflow)) {
    refuseOption('onOverflow', `'${onOverflow}' is none of ${policies.join(', ')}`);
  }
  return {
    type: 'observable',
    replay: 'none',
    bounded,
    settings: { bufferMax, onOverflow },
    createEnumerator: (_context, snapshot) => fixedEnumerator(async () => [{ id: '0' }], snapshot),
    createReader: (context) =>
      new SplitQueueReader(
        (split, wake) => new ObservableCursor(split.id, observe(), { ...options, context, wake }),
      ),
  };
}

interface ObservableCursorParts extends FromObservableOptions {
  readonly context: SourceContext;
  readonly wake: () => void;
}

/** Has no position: what was emitted does not come again. */
class ObservableCursor<T> implements SplitCursor<T> {
  private readonly split: string;
  private readonly parts: ObservableCursorParts;
  private readonly buffer: RingBuffer<T>;
  private readonly dropped: Counter;
  /** Ends the subscription, also while it is still being made. */
  private readonly stop = new Subject<void>();
  private failure: MillraceError | undefined;
  private isComplete = false;

  constructor(split: string, observable: Observable<T>, parts: ObservableCursorParts) {
    this.split = split;
    this.parts = parts;
    this.buffer = new RingBuffer(parts.bufferMax);
    this.dropped = parts.context.metrics.counter('numRecordsDropped');
    observable.pipe(takeUntil(this.stop)).subscribe({
      next: (record) => this.onNext(record),
      error: (cause: unknown) => {
        this.fail(
          new MillraceError('ERR_SOURCE_FAILED', `the Observable failed: ${cause}`, { cause }),
        );
      },
      complete: () => {
        this.isComplete = true;
        parts.wake();
      },
    });
  }

  get isReady(): boolean {
    return this.buffer.size > 0 || this.isComplete || this.failure !== undefined;
  }

  poll(max: number): SourceChunk<T> | undefined {
    const values = this.buffer.take(max);
    if (values.length === 0 && this.failure !== undefined) throw this.failure;
    const hasAll = this.isComplete && this.failure === undefined;
    const splitEnded = hasAll && this.buffer.size === 0;
    if (values.length === 0 && !splitEnded) return undefined;
    return { split: this.split, values, start: 0, count: values.length, splitEnded };
  }

  position(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.stop.next();
  }

  private onNext(record: T): void {
    if (this.buffer.isFull) {
      const { onOverflow, bufferMax } = this.parts;
      if (onOverflow === 'fail') {
        const detail = `the Observable is ahead by more than ${bufferMax} records`;
        this.fail(new MillraceError('ERR_SOURCE_OVERFLOW', detail, { field: 'bufferMax' }));
        return;
      }
      this.dropped.inc();
      if (onOverflow === 'dropNewest') return;
      this.buffer.take(1);
    }
    this.buffer.push(record);
    this.parts.wake();
  }

  private fail(failure: MillraceError): void {
    this.failure = failure;
    this.stop.next();
    this.parts.wake();
  }
}
