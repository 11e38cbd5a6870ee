import { toMillraceError } from '@millrace/core/internal';
import { type CheckpointBarrier, RecordFailure, type SinkWriter } from '@millrace/core/spi';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { PooledBatch } from './batch-pool.js';
import { isBatch } from './channel.js';
import { closeAll } from './close-all.js';
import type { InputGate } from './input-gate.js';
import { positionOf } from './record-places.js';
import type { Stage } from './stage.js';

/** Gives batches to a sink's writer, one at a time. */
export class SinkStage implements Stage {
  readonly id: string;
  readonly readsSource = false;
  isFinished = false;
  private isBusy = false;
  private isDirty = false;
  private pending: Promise<void> | undefined;
  private readonly gate: InputGate;
  private readonly writer: SinkWriter;
  private readonly metrics: OperatorMetrics;
  private readonly wake: (failure?: unknown) => void;
  private readonly atBarrier: (barrier: CheckpointBarrier, prepared: unknown) => void;
  /** The newest committed checkpoint that the writer has not been told of. */
  private committed: number | undefined;
  private readonly quietListeners: (() => void)[] = [];

  /** @param wake called when a promise of the writer has settled, with its error if it failed */
  constructor(
    gate: InputGate,
    writer: SinkWriter,
    metrics: OperatorMetrics,
    wake: (failure?: unknown) => void,
    atBarrier: (barrier: CheckpointBarrier, prepared: unknown) => void,
  ) {
    this.id = metrics.operator;
    this.gate = gate;
    this.writer = writer;
    this.metrics = metrics;
    this.wake = wake;
    this.atBarrier = atBarrier;
  }

  isReady(): boolean {
    if (this.isBusy) return false;
    const { isEmpty, overtaking } = this.gate;
    return !isEmpty || overtaking !== undefined || this.committed !== undefined;
  }

  /** The checkpoint and all before it are committed: the writer publishes what they prepared. */
  commit(checkpoint: number): void {
    if (this.writer.committed === undefined) return;
    this.committed = checkpoint;
    this.wake();
  }

  /**
   * Resolves when nothing is being written or published, and nothing is to be; never when the
   * writer has failed.
   */
  async whenQuiet(): Promise<void> {
    if (!this.isQuiet) await new Promise<void>((resolve) => this.quietListeners.push(resolve));
  }

  isBlocked(): boolean {
    return false;
  }

  isWaiting(): boolean {
    return this.isBusy;
  }

  step(): void {
    const { committed } = this;
    if (committed !== undefined) {
      this.committed = undefined;
      this.waitFor(this.call(() => this.writer.committed!(committed)));
      return;
    }
    const { overtaking } = this.gate;
    if (overtaking !== undefined) {
      this.gate.capture(overtaking);
      this.prepare(overtaking);
      return;
    }
    const channel = this.gate.nextChannel()!;
    const element = channel.peek()!;
    this.gate.turn();
    channel.shift();
    if (isBatch(element)) {
      this.gate.onBatch(channel);
      this.write(element);
      return;
    }
    const event = this.gate.onControl(channel, element);
    if (event?.kind === 'endOfInput' && this.writer.finish !== undefined) {
      this.isDirty = false;
      this.waitFor(this.call(() => this.writer.finish!()));
    } else if (event?.kind === 'barrier') {
      this.prepare(event);
    } else if (event?.kind === 'close') {
      this.isFinished = true;
    }
  }

  /** Lets the writer empty its own buffers while there is nothing else to do. */
  flush(): boolean {
    if (!this.isDirty || this.isBusy || this.writer.flush === undefined) return false;
    this.isDirty = false;
    this.waitFor(this.call(() => this.writer.flush!()));
    return true;
  }

  linger(): void {}

  async open(): Promise<void> {
    await this.guard(() => this.writer.open?.());
  }

  close(): Promise<void> {
    const { writer, pending } = this;
    return this.guard(() =>
      closeAll([
        // Its destination may be away for as long as nobody knows; what ends by itself is waited for.
        () => (this.isBusy && !this.isFinished ? writer.cancel?.() : undefined),
        // It is not closed while a promise of it is open; what that one says is known already.
        () => pending?.catch(() => undefined),
        () => writer.close?.(),
      ]),
    );
  }

  wakeAtMs(): number {
    return Infinity;
  }

  private get isQuiet(): boolean {
    return !this.isBusy && this.committed === undefined;
  }

  private prepare(barrier: CheckpointBarrier): void {
    const { writer } = this;
    const prepared = async (): Promise<void> => {
      if (writer.prepare !== undefined)
        this.atBarrier(barrier, await writer.prepare(barrier.checkpoint));
      else {
        await writer.flush?.();
        this.atBarrier(barrier, undefined);
      }
    };
    this.waitFor(prepared());
  }

  private write(batch: PooledBatch): void {
    this.metrics.numRecordsIn += batch.count;
    this.isDirty = true;
    const pending = this.call(() => this.writer.write(batch), batch);
    if (pending === undefined) batch.release();
    else this.waitFor(this.written(pending, batch));
  }

  private async written(pending: Promise<void>, batch: PooledBatch): Promise<void> {
    try {
      await pending;
    } catch (error) {
      throw this.failure(error, batch);
    }
    batch.release();
  }

  private call<R>(action: () => R, batch?: PooledBatch): R {
    try {
      return action();
    } catch (error) {
      throw this.failure(error, batch);
    }
  }

  private waitFor(pending: Promise<void>): void {
    this.isBusy = true;
    this.pending = pending;
    pending.then(
      () => {
        this.isBusy = false;
        if (this.isQuiet) for (const listener of this.quietListeners.splice(0)) listener();
        this.wake();
      },
      (error: unknown) => this.wake(this.failure(error)),
    );
  }

  private failure(error: unknown, batch?: PooledBatch): Error {
    if (!(error instanceof RecordFailure)) {
      return toMillraceError(error, 'ERR_SINK_FAILED', { operator: this.id });
    }
    const position = positionOf(batch?.places, error.index);
    return toMillraceError(error.cause, 'ERR_SINK_FAILED', { operator: this.id, position });
  }

  private async guard(action: () => Promise<void> | undefined): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw this.failure(error);
    }
  }
}
