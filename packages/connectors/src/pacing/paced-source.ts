import type { Cancellable, Env, Source, SourceReader, Split } from '@millrace/core/spi';
import { refuseOption } from '../option-checks.js';
import { Signal } from '../reading/signal.js';

/** Records that may come at once after a rest, in seconds of the rate. */
const burstSeconds = 0.02;

/**
 * A source that gives no more than so many records a second: for loads of a chosen rate, and for
 * rehearsals. Everything else, positions too, stays the source's own; each subtask has the whole
 * rate for itself.
 *
 * @param recordsPerSecond above 0 and finite
 * @throws ERR_INVALID_OPTION
 * @example
 * job.source('payments', pacedSource(csvSource({ path: 'payments.csv' }), 1_000))
 */
export function pacedSource<T>(source: Source<T>, recordsPerSecond: number): Source<T> {
  if (!(recordsPerSecond > 0 && recordsPerSecond < Infinity)) {
    refuseOption('recordsPerSecond', `should be above 0 and finite, found ${recordsPerSecond}`);
  }
  return {
    type: source.type,
    replay: source.replay,
    bounded: source.bounded,
    parallelismMax: source.parallelismMax,
    settings: source.settings,
    createEnumerator: (context, snapshot) => source.createEnumerator(context, snapshot),
    createReader: (context) =>
      new PacedReader(source.createReader(context), context.env, recordsPerSecond),
  };
}

class PacedReader<T> implements SourceReader<T> {
  private readonly reader: SourceReader<T>;
  private readonly env: Env;
  private readonly perMs: number;
  private readonly allowedMax: number;
  /** Records that may be given now, with fractions. */
  private allowed = 0;
  private allowedAtMs: number;
  private readonly due = new Signal();
  private timer: Cancellable | undefined;
  private isClosed = false;

  constructor(reader: SourceReader<T>, env: Env, recordsPerSecond: number) {
    this.reader = reader;
    this.env = env;
    this.perMs = recordsPerSecond / 1_000;
    this.allowedMax = Math.max(1, recordsPerSecond * burstSeconds);
    this.allowedAtMs = env.clock.monotonicMs();
  }

  async open(): Promise<void> {
    await this.reader.open?.();
  }

  addSplits(splits: readonly Split[]): void {
    this.reader.addSplits(splits);
  }

  noMoreSplits(): void {
    this.reader.noMoreSplits();
  }

  poll(max: number): ReturnType<SourceReader<T>['poll']> {
    this.refill();
    if (this.allowed < 1) return undefined;
    const chunk = this.reader.poll(Math.min(max, Math.floor(this.allowed)));
    if (chunk !== undefined && chunk !== 'end') this.allowed -= chunk.count;
    return chunk;
  }

  async available(): Promise<void> {
    await this.reader.available();
    this.refill();
    if (this.allowed >= 1 || this.isClosed) return;
    this.timer ??= this.env.scheduler.after((1 - this.allowed) / this.perMs, () => {
      this.timer = undefined;
      this.due.notify();
    });
    await this.due.wait();
  }

  pauseSplits(ids: readonly string[]): void {
    this.reader.pauseSplits(ids);
  }

  resumeSplits(ids: readonly string[]): void {
    this.reader.resumeSplits(ids);
  }

  isSplitEmpty(id: string): boolean | undefined {
    return this.reader.isSplitEmpty?.(id);
  }

  snapshot(checkpoint?: number): readonly Split[] {
    return this.reader.snapshot(checkpoint);
  }

  async committed(checkpoint: number): Promise<void> {
    await this.reader.committed?.(checkpoint);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.timer?.cancel();
    await this.reader.close?.();
  }

  private refill(): void {
    const nowMs = this.env.clock.monotonicMs();
    const earned = (nowMs - this.allowedAtMs) * this.perMs;
    this.allowed = Math.min(this.allowedMax, this.allowed + earned);
    this.allowedAtMs = nowMs;
  }
}
