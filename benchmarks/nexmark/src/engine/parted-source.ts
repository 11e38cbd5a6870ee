import type { Source, SourceChunk, SourceReader, Split } from '@millrace/core/spi';
import type { FeedBatch } from './feed.js';

/**
 * Records from memory, as one split for each subtask: the batches in turn. Each subtask has its
 * records before it is open, so that reading them takes no time of the job.
 */
export function partedSource<T>(
  read: () => Promise<readonly FeedBatch<T>[]>,
  laps: Laps = { count: 1, periodMs: 0 },
): Source<T> {
  return {
    type: 'parts',
    replay: 'none',
    bounded: true,
    createEnumerator: ({ parallelism }) => ({
      discover: async () => ({
        splits: Array.from({ length: parallelism }, (_, part) => ({ id: `part-${part}` })),
        end: true,
      }),
      snapshot: () => null,
    }),
    createReader: ({ parallelism }) => new PartReader(read, parallelism, laps),
  };
}

/** How often the same records come, each time later by a period. */
export interface Laps {
  readonly count: number;
  readonly periodMs: number;
}

class PartReader<T> implements SourceReader<T> {
  private readonly read: () => Promise<readonly FeedBatch<T>[]>;
  private readonly parallelism: number;
  private batches: readonly FeedBatch<T>[] = [];
  private split = '';
  private next = 0;
  private lap = 0;
  private readonly laps: Laps;
  private times = new Float64Array(0);

  constructor(read: () => Promise<readonly FeedBatch<T>[]>, parallelism: number, laps: Laps) {
    this.read = read;
    this.parallelism = parallelism;
    this.laps = laps;
  }

  async open(): Promise<void> {
    this.batches = await this.read();
  }

  addSplits([split]: readonly Split[]): void {
    if (split === undefined) return;
    this.split = split.id;
    this.next = this.part;
  }

  noMoreSplits(): void {}

  poll(): SourceChunk<T> | 'end' {
    if (this.split === '') return 'end';
    if (this.next >= this.batches.length) {
      this.lap += 1;
      this.next = this.part;
    }
    const batch = this.batches[this.next];
    if (this.lap >= this.laps.count || batch === undefined) return 'end';
    this.next += this.parallelism;
    const { values, timestamps, count } = batch;
    return { split: this.split, values, start: 0, count, timestamps: this.shifted(timestamps) };
  }

  private get part(): number {
    return Number(this.split.slice('part-'.length));
  }

  /** Valid until the next poll, as a reader's arrays are. */
  private shifted(timestamps: Float64Array): Float64Array {
    const shiftMs = this.lap * this.laps.periodMs;
    if (shiftMs === 0) return timestamps;
    if (this.times.length < timestamps.length) this.times = new Float64Array(timestamps.length);
    for (let i = 0; i < timestamps.length; i += 1) this.times[i] = timestamps[i]! + shiftMs;
    return this.times;
  }

  async available(): Promise<void> {}

  pauseSplits(): void {}

  resumeSplits(): void {}

  snapshot(): [] {
    return [];
  }
}
