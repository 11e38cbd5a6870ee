import type { SourceChunk, SourceReader, Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { Signal } from './signal.js';
import type { OpenCursor, SplitCursor } from './split-cursor.js';

interface OpenSplit<T> {
  readonly id: string;
  readonly cursor: SplitCursor<T>;
}

/**
 * Reads the splits it is given in turns, a chunk of each, so that their event times advance
 * together. At most `openSplitsMax` are read at a time, not counting paused ones: those wait for
 * the others, which must then not wait for them.
 */
export class SplitQueueReader<T> implements SourceReader<T> {
  private readonly openCursor: OpenCursor<T>;
  private waiting: Split[] = [];
  private readonly running: OpenSplit<T>[] = [];
  private readonly cursors = new Map<string, SplitCursor<T>>();
  private readonly paused = new Set<string>();
  private readonly signal = new Signal();
  private readonly openSplitsMax: number;
  private isComplete = false;

  constructor(
    openCursor: OpenCursor<T>,
    { openSplitsMax = connectorLimits.openSplitsMax as number } = {},
  ) {
    this.openCursor = openCursor;
    this.openSplitsMax = openSplitsMax;
  }

  addSplits(splits: readonly Split[]): void {
    this.waiting.push(...splits);
    this.signal.notify();
  }

  noMoreSplits(): void {
    this.isComplete = true;
    this.signal.notify();
  }

  poll(max: number): SourceChunk<T> | 'end' | undefined {
    this.openWaiting();
    for (let tries = this.running.length; tries > 0; tries -= 1) {
      const split = this.running.shift()!;
      this.running.push(split);
      const chunk = this.canPoll(split) ? split.cursor.poll(max) : undefined;
      if (chunk === undefined) continue;
      if (chunk.splitEnded === true) {
        this.running.pop();
        this.cursors.delete(split.id);
      }
      return chunk;
    }
    return this.hasEnded ? 'end' : undefined;
  }

  async available(): Promise<void> {
    this.openWaiting();
    if (this.hasEnded || this.running.some((split) => this.canPoll(split))) return;
    await this.signal.wait();
  }

  pauseSplits(ids: readonly string[]): void {
    for (const id of ids) this.paused.add(id);
    this.signal.notify();
  }

  resumeSplits(ids: readonly string[]): void {
    for (const id of ids) this.paused.delete(id);
    this.signal.notify();
  }

  isSplitEmpty(id: string): boolean | undefined {
    const cursor = this.cursors.get(id);
    return cursor === undefined ? false : cursor.isEmpty;
  }

  snapshot(): readonly Split[] {
    const running = this.running.map(({ id, cursor }) => {
      const position = cursor.position();
      return position === undefined ? { id } : { id, position };
    });
    return [...running, ...this.waiting];
  }

  async close(): Promise<void> {
    const closing = this.running.map(({ cursor }) => cursor.close?.());
    this.running.length = 0;
    this.cursors.clear();
    this.waiting = [];
    await Promise.all(closing);
  }

  private get hasEnded(): boolean {
    return this.isComplete && this.waiting.length === 0 && this.running.length === 0;
  }

  private canPoll({ id, cursor }: OpenSplit<T>): boolean {
    return !this.paused.has(id) && cursor.isReady;
  }

  private openWaiting(): void {
    if (this.waiting.length === 0) return;
    let active = this.running.filter(({ id }) => !this.paused.has(id)).length;
    const later: Split[] = [];
    for (const split of this.waiting) {
      if (active >= this.openSplitsMax || this.paused.has(split.id)) later.push(split);
      else {
        const cursor = this.openCursor(split, () => this.signal.notify());
        this.running.push({ id: split.id, cursor });
        this.cursors.set(split.id, cursor);
        active += 1;
      }
    }
    this.waiting = later;
  }
}
