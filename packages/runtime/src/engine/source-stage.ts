import { coreLimits, toMillraceError } from '@millrace/core/internal';
import {
  type BadInput,
  type RecordBatch,
  RecordFailure,
  type SourceChunk,
  type SourceReader,
  type SplitEnumerator,
} from '@millrace/core/spi';
import type { AssignTimestamps } from '../codegen/timestamps.js';
import { runtimeLimits } from '../limits.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { FailurePolicy } from './failure-policy.js';
import type { SourceTime } from './source-time.js';
import type { Stage } from './stage.js';
import type { StageOutputs } from './stage-outputs.js';

export interface SourceStageParts {
  readonly id: string;
  readonly reader: SourceReader<unknown>;
  readonly enumerator: SplitEnumerator;
  readonly time: SourceTime;
  readonly assign: AssignTimestamps;
  /** How far ahead of the clock an event time may be, ms. */
  readonly farFutureMs: number;
  readonly outputs: StageOutputs;
  readonly metrics: OperatorMetrics;
  readonly failures: FailurePolicy;
  readonly nowMs: () => number;
  /** Called when there may be something to read again, or with what went wrong. */
  readonly wake: (failure?: unknown) => void;
  readonly later: (delayMs: number, action: () => void) => void;
}

/** Reads a source's splits, gives records their event time, and cuts batches at watermarks. */
export class SourceStage implements Stage {
  readonly id: string;
  isFinished = false;
  private readonly parts: SourceStageParts;
  /** The chunk being taken, and the next record in it. */
  private chunk: SourceChunk<unknown> | undefined;
  private from = 0;
  private mayHaveData = true;
  private lookAtMs = Infinity;
  private isWaiting = false;
  private isClosed = false;

  constructor(parts: SourceStageParts) {
    this.id = parts.id;
    this.parts = parts;
    parts.time.onGroupAdvance(() => {
      this.mayHaveData = true;
    });
  }

  isReady(): boolean {
    return this.hasWork() && this.parts.outputs.hasCredit;
  }

  isBlocked(): boolean {
    return this.hasWork() && !this.parts.outputs.hasCredit;
  }

  step(): void {
    if (this.chunk === undefined) this.poll();
    if (this.chunk !== undefined) this.takeChunk(this.chunk);
  }

  flush(): boolean {
    return this.parts.outputs.flush();
  }

  async open(): Promise<void> {
    await this.guard(async () => {
      await this.parts.reader.open?.();
      await this.discover();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.guard(async () => {
      await this.parts.reader.close?.();
      await this.parts.enumerator.close?.();
    });
  }

  wakeAtMs(): number {
    return this.isFinished ? Infinity : this.lookAtMs;
  }

  private hasWork(): boolean {
    if (this.isFinished) return false;
    return this.chunk !== undefined || this.mayHaveData || this.lookAtMs <= this.parts.nowMs();
  }

  private async discover(): Promise<void> {
    const { reader, enumerator, time, later, wake } = this.parts;
    const { splits, end } = await enumerator.discover();
    if (this.isClosed) return;
    for (const { id } of splits) time.add(id);
    if (splits.length > 0) reader.addSplits(splits);
    if (end) reader.noMoreSplits();
    else {
      later(runtimeLimits.splitDiscoveryMs, () => {
        if (!this.isClosed) this.guard(() => this.discover()).catch(wake);
      });
    }
    this.mayHaveData = true;
    wake();
  }

  private poll(): void {
    const { reader, time, nowMs } = this.parts;
    this.align();
    const polled = this.read(() => reader.poll(coreLimits.batchRecordsMax));
    if (polled === 'end') this.end();
    else if (polled === undefined) this.waitForData(time.onEmpty(nowMs()));
    else {
      this.chunk = polled;
      this.from = polled.start;
      time.onRecords(time.of(polled.split));
      this.takeBad(polled.bad ?? []);
    }
  }

  /** Takes records of the chunk up to where a batch is to be cut, or to its end. */
  private takeChunk(chunk: SourceChunk<unknown>): void {
    const { outputs, time, metrics } = this.parts;
    const split = time.of(chunk.split);
    const room = outputs.main.capacity - outputs.main.count;
    const end = chunk.start + chunk.count;
    const begun = this.from;
    this.from = this.assign(chunk, Math.min(end, begun + room), outputs.main);
    metrics.numRecordsIn += this.from - begun;
    const cut = split.highest >= split.cutAt || this.from < end;
    if (split.advance()) {
      this.sendWatermark();
      time.groupAdvanced();
    }
    if (cut) outputs.flushFull();
    if (this.from < end) return;
    this.chunk = undefined;
    if (chunk.splitEnded === true) {
      time.remove(chunk.split);
      time.groupAdvanced();
      this.sendWatermark();
    }
    outputs.flushFull();
  }

  private assign(chunk: SourceChunk<unknown>, to: number, out: RecordBatch): number {
    const { assign, time, farFutureMs, nowMs, failures } = this.parts;
    try {
      const split = time.of(chunk.split);
      return assign(chunk, this.from, to, out, split, nowMs() + farFutureMs);
    } catch (error) {
      if (!(error instanceof RecordFailure)) throw error;
      const { index, cause } = error;
      const decision = failures.decide({
        cause,
        record: chunk.values[index],
        position: positionOf(chunk, index),
        timestamp: time.watermark,
      });
      return decision === 'retry' ? index : index + 1;
    }
  }

  private takeBad(bad: readonly BadInput[]): void {
    const { failures, time, metrics } = this.parts;
    for (const { error, raw, position } of bad) {
      metrics.numRecordsIn += 1;
      const cause = toMillraceError(error, 'ERR_INVALID_RECORD', { operator: this.id });
      // Decoding again gives the same error, so a retry is spent at once.
      while (failures.decide({ cause, raw, position, timestamp: time.watermark }) === 'retry');
    }
  }

  private sendWatermark(): void {
    const { outputs, time } = this.parts;
    const mark = time.advanced();
    if (mark !== undefined) outputs.sendControl({ kind: 'watermark', time: mark });
  }

  private align(): void {
    const { reader, time } = this.parts;
    const { pause, resume } = time.align();
    if (pause.length > 0) reader.pauseSplits(pause);
    if (resume.length > 0) reader.resumeSplits(resume);
  }

  private waitForData(idle: { readonly becameIdle: boolean; readonly lookAtMs: number }): void {
    const { outputs, reader, wake } = this.parts;
    this.sendWatermark();
    if (idle.becameIdle) outputs.sendControl({ kind: 'idle' });
    this.lookAtMs = idle.lookAtMs;
    this.mayHaveData = false;
    if (this.isWaiting) return;
    this.isWaiting = true;
    const again = (): void => {
      this.isWaiting = false;
      this.mayHaveData = true;
      wake();
    };
    reader.available().then(again, (error: unknown) => wake(this.failure(error)));
  }

  private end(): void {
    const { outputs } = this.parts;
    outputs.sendControl({ kind: 'watermark', time: Infinity });
    outputs.sendControl({ kind: 'endOfInput' });
    outputs.sendControl({ kind: 'close' });
    this.isFinished = true;
  }

  private read<R>(action: () => R): R {
    try {
      return action();
    } catch (error) {
      throw this.failure(error);
    }
  }

  private failure(error: unknown): Error {
    return toMillraceError(error, 'ERR_SOURCE_FAILED', { operator: this.id });
  }

  private async guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw this.failure(error);
    }
  }
}

const positionOf = (chunk: SourceChunk<unknown>, index: number): string =>
  `${chunk.split}@${chunk.positionOf?.(index) ?? index}`;
