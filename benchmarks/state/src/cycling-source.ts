import type { Source, SourceChunk, SourceReader, SplitEnumerator } from '@millrace/core/spi';

/** Records of a batch. */
export const batchEvents = 512;
const split = 'cycle';

/** How records come again and again. */
export interface CyclingOptions<T> {
  /** A multiple of 512; or how each is made, for those that must not come again. */
  readonly records: readonly T[] | ((index: number) => T);
  /** Given once ahead of them, one for each index. */
  readonly preload?: { readonly count: number; record(index: number): T } | undefined;
  /** Event time goes on by a second with so many records. */
  readonly recordsPerSecond: number;
}

/**
 * The same records again and again, as fast as they are taken, with event times that go on. It
 * notes the time from one batch to the next: what a batch takes, with all that goes on in between.
 */
export class CyclingSource<T> implements Source<T>, SourceReader<T> {
  readonly type = 'cycling';
  readonly replay = 'none';
  readonly bounded = false;
  /** Records given so far. */
  given = 0;
  /** From poll to poll, ms. */
  batchMs: number[] = [];
  private readonly make: ((index: number) => T) | undefined;
  private readonly batches: readonly (readonly T[])[];
  private readonly recordsPerSecond: number;
  private readonly preload: CyclingOptions<T>['preload'];
  private readonly timestamps = new Float64Array(batchEvents);
  private next = 0;
  private polledMs = 0;
  private onLoaded: (() => void) | undefined;
  /** Resolves when what is to be preloaded has been given. */
  readonly loaded = new Promise<void>((resolve) => {
    this.onLoaded = resolve;
  });

  constructor({ records, recordsPerSecond, preload }: CyclingOptions<T>) {
    this.make = typeof records === 'function' ? records : undefined;
    const cycle = typeof records === 'function' ? [] : records;
    this.batches = Array.from({ length: cycle.length / batchEvents }, (_, at) =>
      cycle.slice(at * batchEvents, (at + 1) * batchEvents),
    );
    this.recordsPerSecond = recordsPerSecond;
    this.preload = preload;
  }

  /** Forgets the times noted so far. */
  resetTimes(): void {
    this.batchMs = [];
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

  poll(): SourceChunk<T> {
    this.noteTime();
    const values = this.nextBatch();
    const perMs = this.recordsPerSecond / 1_000;
    for (let i = 0; i < batchEvents; i += 1) {
      this.timestamps[i] = startMs + Math.floor((this.given + i) / perMs);
    }
    this.given += batchEvents;
    return { split, values, start: 0, count: batchEvents, timestamps: this.timestamps };
  }

  available(): Promise<void> {
    return Promise.resolve();
  }

  pauseSplits(): void {}

  resumeSplits(): void {}

  snapshot(): [] {
    return [];
  }

  private nextBatch(): readonly T[] {
    const { preload, given } = this;
    if (preload !== undefined && given < preload.count) {
      return Array.from({ length: batchEvents }, (_, i) =>
        preload.record((given + i) % preload.count),
      );
    }
    this.onLoaded?.();
    this.onLoaded = undefined;
    const { make } = this;
    if (make !== undefined) return Array.from({ length: batchEvents }, (_, i) => make(given + i));
    const values = this.batches[this.next]!;
    this.next = (this.next + 1) % this.batches.length;
    return values;
  }

  private noteTime(): void {
    const nowMs = performance.now();
    if (this.polledMs > 0) this.batchMs.push(nowMs - this.polledMs);
    this.polledMs = nowMs;
  }
}

const startMs = Date.UTC(2026, 0, 1);
