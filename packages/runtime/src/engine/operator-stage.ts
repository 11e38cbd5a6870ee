import { toMillraceError } from '@millrace/core/internal';
import {
  type CheckpointBarrier,
  closeElement,
  endOfInput,
  idleElement,
  type KeyedStateAccess,
  type Operator,
  type Progress,
  RecordFailure,
  watermarkOf,
} from '@millrace/core/spi';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { OperatorRole } from '../plan/stage-plan.js';
import type { PooledBatch } from './batch-pool.js';
import { isBatch } from './channel.js';
import { closeAll } from './close-all.js';
import type { FailurePolicy } from './failure-policy.js';
import { type FusedHead, type FusedPart, partOf } from './fused-head.js';
import { HeldMarks } from './held-marks.js';
import type { GateEvent, InputGate } from './input-gate.js';
import { openFunction } from './loop-members.js';
import { type Cursor, callOf } from './operator-cursor.js';
import { type Places, positionOf, type RowsPerRecord } from './record-places.js';
import type { SourceInput } from './source-input.js';
import type { Stage } from './stage.js';
import type { StageOutputs } from './stage-outputs.js';
import type { StateLoading } from './state-loading.js';

/** State in which a failing record's changes can be taken back. */
export type UndoableState = Pick<KeyedStateAccess, 'rollback'>;

export interface OperatorStageParts {
  readonly id: string;
  readonly role: OperatorRole;
  readonly gate: InputGate;
  readonly operator: Operator;
  readonly rowsPerRecord: RowsPerRecord;
  readonly outputs: StageOutputs;
  readonly metrics: OperatorMetrics;
  readonly failures: FailurePolicy;
  /** State that a failing record's changes are undone in. */
  readonly states: readonly UndoableState[];
  readonly nowMs: () => number;
  /** What is fused ahead of the operator, if anything is. */
  readonly fused: FusedHead | undefined;
  /** All inputs have delivered the barrier: freezes the operator's state. */
  readonly atBarrier: (barrier: CheckpointBarrier) => void;
  readonly loading: StateLoading;
}

/** Runs an operator: batches, watermarks, timers and the end, each as a cursor. */
export class OperatorStage implements Stage {
  readonly id: string;
  readonly readsSource: boolean;
  readonly role: OperatorRole;
  isFinished = false;
  private isOpen = false;
  private cursor: Cursor;
  private toldMs = -Infinity;
  private readonly parts: OperatorStageParts;
  /** What goes on ahead of all else that comes in. */
  private readonly marks: HeldMarks | undefined;

  constructor(parts: OperatorStageParts) {
    this.id = parts.id;
    this.role = parts.role;
    this.readsSource = parts.fused?.source !== undefined;
    this.parts = parts;
    this.marks = parts.role === 'local' ? new HeldMarks() : undefined;
  }

  isReady(): boolean {
    return this.hasWork() && (this.parts.outputs.hasCredit || this.hurries());
  }

  isBlocked(): boolean {
    return this.hasWork() && !this.parts.outputs.hasCredit && !this.hurries();
  }

  isWaiting(): boolean {
    return false;
  }

  step(): void {
    this.cursor ??= this.next();
    const { cursor } = this;
    if (cursor !== undefined && this.parts.loading.mustWaitFor(() => callOf(cursor))) return;
    if (cursor !== undefined && this.advance(cursor)) this.cursor = undefined;
    this.parts.operator.afterCalls?.();
    this.parts.outputs.flushFull();
  }

  flush(): boolean {
    return this.marks?.release() === true || this.parts.outputs.flush();
  }

  linger(nowMs: number): void {
    this.marks?.release();
    this.parts.outputs.linger(nowMs);
  }

  async open(): Promise<void> {
    await this.parts.fused?.members.open();
    await openFunction(this.id, async () => {
      await this.parts.operator.open?.();
      this.isOpen = true;
    });
    await this.parts.fused?.source?.open();
    // What a checkpoint had in channels is not to be looked at as if nothing had been there before.
    const { watermark } = this.parts.gate;
    if (watermark > -Infinity) this.cursor = { kind: 'watermark', time: watermark };
  }

  async close(): Promise<void> {
    const { fused, operator } = this.parts;
    await closeAll([
      () => fused?.source?.close(),
      () => fused?.members.close(),
      () => (this.isOpen ? openFunction(this.id, async () => operator.close?.()) : undefined),
    ]);
  }

  wakeAtMs(): number {
    if (this.isFinished) return Infinity;
    const { fused, gate } = this.parts;
    return Math.min(this.nextTimerMs(), fused?.source?.wakeAtMs() ?? gate.wakeAtMs);
  }

  private nextTimerMs(): number {
    return this.parts.operator.nextProcessingTimeMs?.() ?? Infinity;
  }

  private hasWork(): boolean {
    if (this.isFinished || this.parts.loading.isWaiting) return false;
    if (this.cursor !== undefined || this.marks?.isDue === true) return true;
    return this.hasInput() || this.hasDueTimers();
  }

  private hasInput(): boolean {
    const { fused, gate } = this.parts;
    return fused?.source?.hasWork ?? (!gate.isEmpty || gate.overtaking !== undefined);
  }

  /** A barrier does not wait for credit: what was begun overdraws it, and is done first. */
  private hurries(): boolean {
    const { gate, fused, outputs } = this.parts;
    const { source } = fused ?? {};
    const isOvertaken = source === undefined ? gate.overtaking !== undefined : source.hurries;
    // What an operator has begun, e.g. a firing, may give much; the rest of a chunk may not.
    return isOvertaken && (this.cursor === undefined || outputs.canOverdraw);
  }

  private hasDueTimers(): boolean {
    return this.nextTimerMs() <= this.parts.nowMs();
  }

  private dueTimers(): Cursor {
    return this.hasDueTimers() ? { kind: 'processingTime', time: this.parts.nowMs() } : undefined;
  }

  private next(): Cursor {
    const { marks } = this;
    const { overtaking } = this.parts.gate;
    // A checkpoint does not know of what is held.
    if (overtaking !== undefined) marks?.release();
    return marks?.take() ?? overtaking ?? this.dueTimers() ?? this.nextInput();
  }

  /** Takes the next element; control that concerns the operator becomes a cursor. */
  private nextInput(): Cursor {
    const { gate, fused, metrics, failures } = this.parts;
    if (fused?.source !== undefined) return this.nextOfSource(fused, fused.source);
    const channel = gate.nextChannel();
    const element = channel?.peek();
    if (channel === undefined || element === undefined) return undefined;
    gate.turn();
    if (isBatch(element)) {
      gate.onBatch(channel);
      if (fused === undefined) failures.count(element.count);
      // Of what comes in two phases, the first one counts the records.
      if (fused === undefined && this.role !== 'final') metrics.numRecordsIn += element.count;
      return { kind: 'batch', channel, from: 0 };
    }
    channel.shift();
    return this.onControl(gate.onControl(channel, element));
  }

  private nextOfSource(fused: FusedHead, source: SourceInput): Cursor {
    const next = source.next();
    if (next === undefined) return undefined;
    if (!('chunk' in next)) return this.onControl(this.parts.gate.onOnly(next));
    this.parts.outputs.begin();
    source.taken(this.runFused(fused, next), fused.members.retriedAt);
    return undefined;
  }

  private onControl(event: GateEvent): Cursor {
    const next = this.cursorOf(event);
    return this.marks === undefined || next === undefined ? next : this.marks.pass(next);
  }

  private cursorOf(event: GateEvent): Cursor {
    switch (event?.kind) {
      case 'watermark':
        return { kind: 'watermark', time: event.time };
      case 'endOfInput':
        return { kind: 'endOfInput' };
      case 'idle':
      case 'barrier':
        return event;
      case 'close':
        this.parts.outputs.sendControl(closeElement);
        this.isFinished = true;
        return undefined;
      default:
        return undefined;
    }
  }

  /** Goes on with a cursor; true when it is done. */
  private advance(cursor: NonNullable<Cursor>): boolean {
    const { operator, outputs } = this.parts;
    switch (cursor.kind) {
      case 'batch':
        return this.advanceBatch(cursor);
      case 'watermark': {
        const { time } = cursor;
        this.parts.fused?.setWatermark(time);
        // Told once more, it only says that an input which was idle is not.
        const isNew = time > this.toldMs;
        if (isNew && this.fire(() => operator.onWatermark?.(time, outputs)) === 'more')
          return false;
        this.toldMs = time;
        outputs.sendControl(watermarkOf(time));
        // What was held is enough for frames of its own.
        if (this.marks !== undefined) outputs.flush();
        return true;
      }
      case 'processingTime':
        if (this.fire(() => operator.onProcessingTime?.(cursor.time, outputs)) === 'more')
          return false;
        // Whoever reads the rows waits for more behind them, and no input says that again.
        if (this.parts.gate.isIdle) outputs.sendControl(idleElement);
        return true;
      case 'barrier':
        if (this.fire(() => operator.onBarrier?.(outputs)) === 'more') return false;
        this.parts.atBarrier(cursor);
        this.parts.gate.capture(cursor);
        outputs.sendControl(cursor);
        return true;
      case 'idle':
        // Whoever does not wait for this channel any more must not find records of it late.
        if (this.fire(() => operator.onBarrier?.(outputs)) === 'more') return false;
        outputs.sendControl(idleElement);
        return true;
      case 'endOfInput':
        if (this.fire(() => operator.onEnd?.(outputs)) === 'more') return false;
        outputs.sendControl(endOfInput);
        return true;
    }
  }

  private advanceBatch(cursor: Extract<Cursor, { kind: 'batch' }>): boolean {
    const batch = cursor.channel.peek() as PooledBatch;
    cursor.from = this.process(batch, cursor.from, cursor.channel.input);
    if (cursor.from < batch.count) return false;
    cursor.channel.shift();
    batch.release();
    return true;
  }

  private process(batch: PooledBatch, from: number, input: 0 | 1): number {
    const { operator, outputs, fused } = this.parts;
    outputs.begin();
    if (fused !== undefined) return this.runFused(fused, partOf(batch, from));
    try {
      const next = operator.processBatch(batch, from, outputs, input);
      this.trace(batch.places, from, next, batch.count);
      this.parts.failures.succeeded();
      return next;
    } catch (error) {
      const { cause, index, detail } = this.undo(error);
      const decision = this.parts.failures.decide({
        ...detail,
        cause,
        index,
        position: positionOf(batch.places, index),
        record: batch.values[index],
        timestamp: batch.timestamps[index]!,
      });
      this.trace(batch.places, from, index, batch.count);
      return decision === 'retry' ? index : index + 1;
    }
  }

  /** Runs the fused loop over records of a chunk or batch; returns where to go on. */
  private runFused(
    { loop, members }: FusedHead,
    { chunk, places, from, to, split, latestMs }: FusedPart,
  ): number {
    try {
      const next = loop(chunk, from, to, this.parts.outputs, members.passed, split, latestMs);
      members.count(next - from);
      this.trace(places, from, next, to);
      return next;
    } catch (error) {
      const failure = this.undo(error);
      const next = members.afterFailure(failure, chunk, from, positionOf(places, failure.index));
      this.trace(places, from, failure.index, to);
      return next;
    }
  }

  /** Says where the output of records up to `next` comes from; `next` itself may have given some. */
  private trace(places: Places | undefined, from: number, next: number, end: number): void {
    const { outputs, rowsPerRecord } = this.parts;
    const to = rowsPerRecord === 'atMostOne' ? next : Math.min(next + 1, end);
    // What failed at no record says nothing of those ahead of it.
    outputs.trace(next < from ? undefined : places, from, to, rowsPerRecord);
  }

  private fire(action: () => Progress | undefined): Progress {
    const { operator, outputs, failures, gate } = this.parts;
    outputs.begin();
    try {
      const progress = action() ?? 'done';
      failures.succeeded();
      return progress;
    } catch (error) {
      const { cause, index, detail } = this.undo(error);
      const { timestamp = gate.watermark } = detail;
      if (failures.decide({ cause, index, ...detail, timestamp }) === 'retry')
        operator.retryFiring?.();
      return 'more';
    }
  }

  /** Takes back what the failing record did, where the policy goes on after it. */
  private undo(error: unknown): RecordFailure {
    if (!(error instanceof RecordFailure)) {
      throw toMillraceError(error, 'ERR_INVARIANT', { operator: this.id });
    }
    if (this.parts.failures.goesOn) {
      this.parts.outputs.rollback();
      for (const state of this.parts.states) state.rollback();
    }
    return error;
  }
}
