import type { Source, SourceChunk, SourceReader, Split } from '@millrace/core/spi';
import type { FeedBatch } from './feed.js';

/** Which batches a subtask has: in turn, of `of` subtasks those of number `index`. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/**
 * Records from memory, as one split for each subtask. Each subtask has its records before it is
 * open, so that reading them takes no time of the job.
 *
 * @param read the batches of a part
 */
export function partedSource<T>(
  read: (part: Part) => Promise<readonly FeedBatch<T>[]>,
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
    createReader: ({ subtask, parallelism }) =>
      new PartReader(() => read({ index: subtask, of: parallelism }), laps),
  };
}

/** Those of the batches that a part has. */
export const partOf = <B>(batches: readonly B[], { index, of }: Part): B[] =>
  batches.filter((_, at) => at % of === index);

/** How often the same records come, each time later by a period. */
export interface Laps {
  readonly count: number;
  readonly periodMs: number;
}

class PartReader<T> implements SourceReader<T> {
  private readonly read: () => Promise<readonly FeedBatch<T>[]>;
  private batches: readonly FeedBatch<T>[] = [];
  private split = '';
  private next = 0;
  private lap = 0;
  private readonly laps: Laps;
  private times = new Float64Array(0);

  constructor(read: () => Promise<readonly FeedBatch<T>[]>, laps: Laps) {
    this.read = read;
    this.laps = laps;
  }

  async open(): Promise<void> {
    this.batches = await this.read();
  }

  addSplits([split]: readonly Split[]): void {
    if (split !== undefined) this.split = split.id;
  }

  noMoreSplits(): void {}

  poll(): SourceChunk<T> | 'end' {
    if (this.split === '') return 'end';
    if (this.next >= this.batches.length) {
      this.lap += 1;
      this.next = 0;
    }
    const batch = this.batches[this.next];
    if (this.lap >= this.laps.count || batch === undefined) return 'end';
    this.next += 1;
    const { values, timestamps, count } = batch;
    return { split: this.split, values, start: 0, count, timestamps: this.shifted(timestamps) };
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
