import { coreLimits, toMillraceError } from '@millrace/core/internal';
import {
  type CheckpointBarrier,
  type CheckpointMode,
  type ControlElement,
  closeElement,
  endOfInput,
  idleElement,
  type SourceChunk,
  type SourceReader,
  type Split,
  watermarkOf,
} from '@millrace/core/spi';
import { timeMaxMs } from '../codegen/event-time.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { ChunkPart } from './chunk-part.js';
import type { FailurePolicy } from './failure-policy.js';
import { ChunkPlaces } from './record-places.js';
import type { RestoredSource, SourceSnapshot } from './source-snapshot.js';
import type { IsSplitEmpty, SourceTime } from './source-time.js';

export interface SourceInputParts {
  readonly id: string;
  /** Named where a record stood; undefined where the job has no other source. */
  readonly nameInPlaces: string | undefined;
  readonly reader: SourceReader<unknown>;
  readonly time: SourceTime;
  /** How far ahead of the clock an event time may be, ms. */
  readonly farFutureMs: number;
  readonly metrics: OperatorMetrics;
  readonly failures: FailurePolicy;
  readonly nowMs: () => number;
  /** Called when there may be something to read again, or with what went wrong. */
  readonly wake: (failure?: unknown) => void;
  /** Where a checkpoint stood that the source goes on from. */
  readonly restored: RestoredSource | undefined;
  /** Called at a barrier with what the checkpoint is to have of the source. */
  readonly atBarrier: (checkpoint: number, snapshot: SourceSnapshot) => void;
  /** Called at the end of input; the channel then stays open until `release`. */
  readonly onHeldEnd: (() => void) | undefined;
}

interface TriggeredBarrier {
  readonly barrier: CheckpointBarrier;
  readonly enumerator: unknown;
}

/**
 * A source as the input of a stage: the stage's loop reads chunks of the source's splits directly,
 * gives records their event time, and stops where the watermark crosses a step.
 */
export class SourceInput {
  readonly id: string;
  private readonly parts: SourceInputParts;
  /** The chunk being taken, and the next record in it. */
  private chunk: SourceChunk<unknown> | undefined;
  private places: ChunkPlaces | undefined;
  private from = 0;
  /** That record has failed and comes alone: time has told of it, and of none behind it. */
  private isRetry = false;
  /** Control elements that come before the next records. */
  private readonly control: ControlElement[] = [];
  private mayHaveData = true;
  private lookAtMs = Infinity;
  private isWaiting = false;
  private isClosed = false;
  private readonly isEmpty: IsSplitEmpty;
  private hasEnded = false;
  private isDraining = false;
  /** Checkpoints whose barriers are to be sent. */
  private barriers: readonly TriggeredBarrier[] = [];
  /** Splits that were assigned behind the trigger of a barrier that is not sent yet. */
  private heldBack: { readonly splits: readonly Split[]; readonly end: boolean }[] = [];

  constructor(parts: SourceInputParts) {
    this.id = parts.id;
    this.parts = parts;
    this.isEmpty = (split) => parts.reader.isSplitEmpty?.(split);
    parts.time.onGroupAdvance(() => {
      this.mayHaveData = true;
    });
  }

  /** The checkpoint and all before it are committed. */
  committed(checkpoint: number): void {
    const { reader, wake } = this.parts;
    if (reader.committed === undefined) return;
    this.guard(() => reader.committed!(checkpoint)).catch(wake);
  }

  /**
   * Sends a barrier behind the chunk at hand; barriers of older checkpoints that wait for that are
   * not sent any more.
   *
   * @param enumerator the enumerator's state as of the splits assigned so far, for the checkpoint
   *   to have with this subtask
   */
  trigger(checkpoint: number, mode: CheckpointMode, enumerator?: unknown): void {
    this.takeHeldBack();
    this.barriers = [{ barrier: { kind: 'barrier', checkpoint, mode }, enumerator }];
    this.parts.wake();
  }

  /**
   * Gives the subtask splits to read; with `end` there will be no more. Behind a trigger they wait for
   * its barrier: the enumerator's state in that checkpoint knows nothing of them.
   */
  assign(splits: readonly Split[], end: boolean): void {
    if (this.isClosed) return;
    if (this.barriers.length > 0) {
      this.heldBack.push({ splits, end });
      return;
    }
    const { reader, time, wake } = this.parts;
    this.read(() => {
      for (const { id } of splits) time.add(id);
    });
    if (splits.length > 0) this.read(() => reader.addSplits(splits));
    if (end) this.read(() => reader.noMoreSplits());
    this.mayHaveData = true;
    wake();
  }

  /** Ends the input where it stands, as if there were no more. */
  drain(): void {
    this.isDraining = true;
    this.mayHaveData = true;
    this.parts.wake();
  }

  /** Closes the channel that was held open at the end. */
  release(): void {
    this.control.push(closeElement);
    this.parts.wake();
  }

  /** A barrier is to be sent that waits for no credit. */
  get hurries(): boolean {
    return this.barriers[0]?.barrier.mode === 'unaligned';
  }

  get hasWork(): boolean {
    if (this.control.length > 0 || this.chunk !== undefined) return true;
    if (this.barriers.length > 0) return true;
    if (this.hasEnded) return false;
    return this.mayHaveData || this.lookAtMs <= this.parts.nowMs();
  }

  /** What comes next; records are to be answered with `taken`. */
  next(): ControlElement | ChunkPart | undefined {
    if (this.control.length === 0 && this.chunk === undefined) {
      const [triggered] = this.barriers;
      if (triggered !== undefined) return this.barrier(triggered);
      this.poll();
    }
    const control = this.control.shift();
    if (control !== undefined) return control;
    const { chunk, from } = this;
    if (chunk === undefined) return undefined;
    this.places ??= new ChunkPlaces(chunk, this.parts.nameInPlaces);
    const { places } = this;
    const { time, nowMs, farFutureMs } = this.parts;
    const to = this.isRetry ? from + 1 : chunk.start + chunk.count;
    const latestMs = Math.min(nowMs() + farFutureMs, timeMaxMs);
    return { chunk, places, from, to, split: time.of(chunk.split), latestMs };
  }

  /**
   * The chunk's records up to `next` are dealt with.
   *
   * @param retriedAt operator at which `next` failed and is to be tried again: until then the
   *   watermark, which knows of the record already, must not overtake it
   */
  taken(next: number, retriedAt?: string): void {
    const { time } = this.parts;
    const chunk = this.chunk!;
    const split = time.of(chunk.split);
    this.from = next;
    this.isRetry = retriedAt !== undefined;
    // What failed at the source itself has not been told of.
    split.isTold = this.isRetry && retriedAt !== this.id;
    if (this.isRetry) return;
    let advanced = split.advance();
    if (next >= chunk.start + chunk.count) {
      this.chunk = undefined;
      this.places = undefined;
      if (chunk.splitEnded === true) {
        time.remove(chunk.split);
        advanced = true;
      }
    }
    if (!advanced) return;
    this.sendWatermark();
    time.groupAdvanced();
  }

  async open(): Promise<void> {
    await this.guard(async () => {
      await this.parts.reader.open?.();
      this.restore();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.guard(async () => this.parts.reader.close?.());
  }

  /** When to look for idle splits again, epoch ms. */
  wakeAtMs(): number {
    return this.hasEnded ? Infinity : this.lookAtMs;
  }

  private barrier({ barrier, enumerator }: TriggeredBarrier): ControlElement {
    const { checkpoint } = barrier;
    const { reader, time, atBarrier } = this.parts;
    const splits = this.read(() => reader.snapshot(checkpoint));
    const own = { splits, time: time.snapshot() };
    atBarrier(checkpoint, enumerator === undefined ? own : { enumerator, ...own });
    this.takeHeldBack();
    return barrier;
  }

  /** What a barrier was to come ahead of; a newer trigger knows of it. */
  private takeHeldBack(): void {
    this.barriers = [];
    for (const { splits, end } of this.heldBack.splice(0)) this.assign(splits, end);
  }

  private restore(): void {
    const { restored, time, reader } = this.parts;
    if (restored === undefined) return;
    time.restore(restored.time);
    if (restored.splits.length > 0) reader.addSplits(restored.splits);
    if (time.watermark > -Infinity) this.control.push(watermarkOf(time.watermark));
  }

  private poll(): void {
    const { reader, time, nowMs } = this.parts;
    if (this.hasEnded) return;
    if (this.isDraining) {
      this.end();
      return;
    }
    this.align();
    const polled = this.read(() => reader.poll(coreLimits.batchRecordsMax));
    if (polled === 'end') this.end();
    else if (polled === undefined) {
      // Ahead of looking for idle splits: others that waited for one of them may go on.
      this.mayHaveData = false;
      this.waitForData(this.read(() => time.onEmpty(nowMs(), this.isEmpty)));
    } else {
      // Ahead of the records: a filter may drop them, and others behind them are not late.
      if (time.onRecords(time.of(polled.split))) this.sayActive();
      this.takeBad(polled);
      this.chunk = polled;
      this.from = polled.start;
      this.lookBesideBusy();
      if (polled.count === 0) this.taken(polled.start);
    }
  }

  /** Splits that have nothing must not hold up others that always have something. */
  private lookBesideBusy(): void {
    const { reader, time, nowMs } = this.parts;
    if (reader.isSplitEmpty === undefined || !time.mayIdleBesideBusy) return;
    const atMs = nowMs();
    if (!time.isLookDue(atMs)) return;
    if (this.read(() => time.onBusy(atMs, this.isEmpty))) this.sendWatermark();
  }

  /** The watermark once more: whoever has heard that the source is idle waits for it again. */
  private sayActive(): void {
    this.control.push(watermarkOf(this.parts.time.watermark));
  }

  private takeBad({ split, bad = [] }: SourceChunk<unknown>): void {
    const { failures, time, metrics } = this.parts;
    for (const { error, raw, position: place } of bad) {
      const position = `${split}@${place}`;
      metrics.numRecordsIn += 1;
      failures.count(1);
      const cause = toMillraceError(error, 'ERR_INVALID_RECORD', { operator: this.id });
      // Decoding again gives the same error, so a retry is spent at once.
      while (
        failures.decide({ cause, index: -1, raw, position, timestamp: time.watermark }) === 'retry'
      );
    }
  }

  private sendWatermark(): void {
    const mark = this.parts.time.advanced();
    if (mark !== undefined) this.control.push(watermarkOf(mark));
  }

  private align(): void {
    const { reader, time } = this.parts;
    const { pause, resume } = time.align();
    if (pause.length > 0) reader.pauseSplits(pause);
    if (resume.length > 0) reader.resumeSplits(resume);
  }

  private waitForData({ became, lookAtMs }: ReturnType<SourceTime['onEmpty']>): void {
    const { reader, wake } = this.parts;
    this.sendWatermark();
    if (became === 'idle') this.control.push(idleElement);
    else if (became === 'active') this.sayActive();
    this.lookAtMs = lookAtMs;
    if (this.isWaiting) return;
    this.isWaiting = true;
    const again = (): void => {
      this.isWaiting = false;
      this.mayHaveData = true;
      wake();
    };
    this.read(() => reader.available()).then(again, (error: unknown) => wake(this.failure(error)));
  }

  private end(): void {
    this.hasEnded = true;
    this.parts.time.end();
    this.control.push(watermarkOf(Infinity), endOfInput);
    if (this.parts.onHeldEnd === undefined) this.control.push(closeElement);
    else this.parts.onHeldEnd();
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
