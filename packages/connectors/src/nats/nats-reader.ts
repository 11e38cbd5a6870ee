import { MillraceError } from '@millrace/core';
import type { SourceChunk, SourceContext, SourceReader, Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import type { SplitCursor } from '../reading/split-cursor.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';
import { openNats } from './open-nats.js';

/** Reads one split over a connection. */
export interface NatsCursor<T> extends SplitCursor<T> {
  /** Messages of the split that the job has not taken, as far as it is known. */
  readonly pending: number;
  pause?(): void;
  resume?(): void;
  /** What was taken until now belongs to a checkpoint. */
  snapshot?(checkpoint: number): void;
  /** The checkpoint and all before it are committed. */
  commit?(checkpoint: number): void;
}

/** What a cursor is opened with. */
export interface OpenedSplit {
  readonly link: NatsLink;
  readonly context: SourceContext;
  /** Called when there is something to read. */
  readonly wake: () => void;
  /** Bytes that the split may hold. */
  readonly bytesMax: number;
  /** `begun`: one was taken already, before this split was opened. */
  readonly checkpoints: 'begun' | 'none yet';
}

/** Reads splits, all of them at the same time, over one connection. */
export class NatsReader<T> implements SourceReader<T> {
  private readonly settings: NatsSettings;
  private readonly context: SourceContext;
  /** Also those at their end: what they read may not be acknowledged yet. */
  private readonly cursors = new Map<string, NatsCursor<T>>();
  private readonly queue: SplitQueueReader<T>;
  private link: NatsLink | undefined;
  private splitCount = 0;
  /** The first checkpoint comes ahead of the first poll, which opens cursors. */
  private checkpoints: OpenedSplit['checkpoints'] = 'none yet';

  constructor(
    settings: NatsSettings,
    context: SourceContext,
    openCursor: (split: Split, opened: OpenedSplit) => NatsCursor<T>,
  ) {
    this.settings = settings;
    this.context = context;
    this.queue = new SplitQueueReader(
      (split, wake) => {
        const { link } = this;
        if (link === undefined) throw new MillraceError('ERR_INVARIANT', 'read before it was open');
        const { splitBytesMax: bytesMax, checkpoints } = this;
        const cursor = openCursor(split, { link, context, wake, bytesMax, checkpoints });
        this.cursors.set(split.id, cursor);
        return cursor;
      },
      // Splits of streams do not end: none may wait for another.
      { openSplitsMax: Infinity },
    );
    context.metrics.gauge('pendingRecords', () => this.pending);
  }

  async open(): Promise<void> {
    this.link = await openNats(this.settings, this.context, 'source');
  }

  addSplits(splits: readonly Split[]): void {
    this.splitCount += splits.length;
    this.queue.addSplits(splits);
  }

  noMoreSplits(): void {
    this.queue.noMoreSplits();
  }

  poll(max: number): SourceChunk<T> | 'end' | undefined {
    return this.queue.poll(max);
  }

  available(): Promise<void> {
    return this.queue.available();
  }

  pauseSplits(ids: readonly string[]): void {
    this.queue.pauseSplits(ids);
    for (const id of ids) this.cursors.get(id)?.pause?.();
  }

  resumeSplits(ids: readonly string[]): void {
    this.queue.resumeSplits(ids);
    for (const id of ids) this.cursors.get(id)?.resume?.();
  }

  isSplitEmpty(id: string): boolean | undefined {
    return this.queue.isSplitEmpty(id);
  }

  snapshot(checkpoint?: number): readonly Split[] {
    if (checkpoint !== undefined) {
      this.checkpoints = 'begun';
      for (const cursor of this.cursors.values()) cursor.snapshot?.(checkpoint);
    }
    return this.queue.snapshot();
  }

  async committed(checkpoint: number): Promise<void> {
    for (const cursor of this.cursors.values()) cursor.commit?.(checkpoint);
  }

  async close(): Promise<void> {
    await this.queue.close();
    this.cursors.clear();
    await this.link?.close();
  }

  private get pending(): number {
    let pending = 0;
    for (const cursor of this.cursors.values()) pending += cursor.pending;
    return pending;
  }

  private get splitBytesMax(): number {
    const { natsReaderBytesMax, natsSplitBytesMin } = connectorLimits;
    return Math.max(natsSplitBytesMin, Math.floor(natsReaderBytesMax / this.splitCount));
  }
}
