import type { Source, SourceChunk, SourceReader, Split } from '@millrace/core/spi';

/** A record with its event time. */
export interface TimedRecord<T> {
  readonly value: T;
  /** Epoch ms; undefined: the watermark strategy takes it from the record. */
  readonly timestamp?: number | undefined;
}

const splitId = 'manual';

/**
 * A source that gives what a test sends, cut into chunks as the test wants: the engine polls it,
 * so nothing is ever pushed into an operator that has no credit.
 */
export class ManualSource<T> implements Source<T> {
  readonly type = 'manual';
  readonly replay = 'none';
  readonly bounded = false;
  private readonly queue: TimedRecord<T>[] = [];
  private readonly cuts: () => number;
  /** Records given so far: a record's position must not depend on how the input is cut. */
  private given = 0;
  private ended = false;
  private paused = false;
  private wake: (() => void) | undefined;

  /** @param cuts how many records the next chunk holds at most; called for each chunk */
  constructor(cuts: () => number = () => Infinity) {
    this.cuts = cuts;
  }

  send(records: readonly TimedRecord<T>[]): void {
    for (const record of records) this.queue.push(record);
    this.notify();
  }

  end(): void {
    this.ended = true;
    this.notify();
  }

  createEnumerator() {
    return {
      discover: async () => ({ splits: [{ id: splitId }] as readonly Split[], end: true }),
      snapshot: () => null,
    };
  }

  createReader(): SourceReader<T> {
    return {
      addSplits: () => undefined,
      noMoreSplits: () => undefined,
      poll: (max) => this.poll(max),
      available: () => this.available(),
      pauseSplits: () => {
        this.paused = true;
      },
      resumeSplits: () => {
        this.paused = false;
      },
      snapshot: () => [],
    };
  }

  private poll(max: number): SourceChunk<T> | 'end' | undefined {
    if (this.paused) return undefined;
    if (this.queue.length === 0) return this.ended ? 'end' : undefined;
    const records = this.queue.splice(0, Math.max(1, Math.min(max, this.cuts())));
    const first = this.given;
    this.given += records.length;
    const timed = records[0]!.timestamp !== undefined;
    return {
      split: splitId,
      values: records.map(({ value }) => value),
      start: 0,
      count: records.length,
      positionOf: (index) => String(first + index),
      timestamps: timed ? Float64Array.from(records, (r) => r.timestamp ?? 0) : undefined,
    };
  }

  private available(): Promise<void> {
    if (!this.paused && (this.queue.length > 0 || this.ended)) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private notify(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
