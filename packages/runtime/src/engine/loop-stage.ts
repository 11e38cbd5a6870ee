import type { RecordContext } from '@millrace/core/internal';
import { coreLimits } from '@millrace/core/internal';
import { type RecordBatch, RecordFailure } from '@millrace/core/spi';
import type { Loop } from '../codegen/loop.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { LoopStep } from '../plan/stage-plan.js';
import { type Channel, isBatch } from './channel.js';
import type { FailurePolicy } from './failure-policy.js';
import type { OutputPort } from './output-port.js';
import type { Stage } from './stage.js';

/** One fused operator as the stage needs it: whom to count for, and what to do on errors. */
export interface LoopMember {
  readonly step: LoopStep | undefined;
  readonly metrics: OperatorMetrics;
  readonly failures: FailurePolicy;
  readonly context: RecordContext | undefined;
}

export interface LoopStageParts {
  readonly id: string;
  readonly input: Channel;
  readonly loop: Loop;
  /** The fused operators; at the end the owner of the keyed edge, if there is one. */
  readonly members: readonly LoopMember[];
  /** Undefined: nobody consumes the result. */
  readonly main: OutputPort | undefined;
  /** Ports of dead letters. */
  readonly sides: readonly OutputPort[];
  readonly discarded: RecordBatch;
  readonly setWatermark: (timeMs: number) => void;
}

/** Runs a generated loop over each batch. */
export class LoopStage implements Stage {
  readonly id: string;
  isFinished = false;
  private from = 0;
  private readonly parts: LoopStageParts;
  private readonly ports: readonly OutputPort[];
  private readonly passed: Float64Array;

  constructor(parts: LoopStageParts) {
    this.id = parts.id;
    this.parts = parts;
    this.ports = parts.main === undefined ? parts.sides : [parts.main, ...parts.sides];
    this.passed = new Float64Array(parts.members.length);
  }

  isReady(): boolean {
    return !this.parts.input.isEmpty && this.hasCredit();
  }

  isBlocked(): boolean {
    return !this.parts.input.isEmpty && !this.hasCredit();
  }

  step(): void {
    const { input, setWatermark } = this.parts;
    const element = input.peek()!;
    if (isBatch(element)) {
      if (!this.take(element)) return;
      input.shift();
      element.release();
      return;
    }
    input.shift();
    if (element.kind === 'watermark') setWatermark(element.time);
    for (const port of this.ports) port.sendControl(element);
    if (element.kind === 'close') this.isFinished = true;
  }

  flush(): boolean {
    let flushed = false;
    for (const port of this.ports) if (port.flush()) flushed = true;
    return flushed;
  }

  async open(): Promise<void> {
    for (const { step, context } of this.parts.members) {
      const setup = step?.operator.lifecycle?.setup;
      if (setup !== undefined) context!.resource = await setup(context!);
    }
  }

  async close(): Promise<void> {
    for (const { step, context } of this.parts.members) {
      await step?.operator.lifecycle?.teardown?.(context!.resource);
    }
  }

  wakeAtMs(): number {
    return Infinity;
  }

  private hasCredit(): boolean {
    for (const port of this.ports) if (!port.hasCredit) return false;
    return true;
  }

  /** Takes as much of the batch as fits into the open one; true when it is done. */
  private take(batch: RecordBatch): boolean {
    const { main, discarded, loop } = this.parts;
    if (this.from === 0 && main !== undefined && !fits(main, batch) && main.flush()) {
      if (!main.hasCredit) return false;
    }
    discarded.count = 0;
    const out = main?.open ?? discarded;
    const to = Math.min(batch.count, this.from + out.capacity - out.count);
    const begun = this.from;
    try {
      this.from = loop(batch, this.from, to, out, this.passed);
    } catch (error) {
      if (!(error instanceof RecordFailure)) throw error;
      this.from = this.afterFailure(error, batch);
    }
    this.count(this.from - begun);
    if (this.from < batch.count) {
      if (main?.isFull === true) main.flush();
      return false;
    }
    this.from = 0;
    return true;
  }

  private afterFailure(failure: RecordFailure, batch: RecordBatch): number {
    const { index } = failure;
    const member = this.parts.members.find(
      ({ metrics }) => metrics.operator === failure.operatorId,
    );
    const decision = member!.failures.decide({
      cause: failure.cause,
      record: batch.values[index],
      timestamp: batch.timestamps[index]!,
    });
    return decision === 'retry' ? index : index + 1;
  }

  private count(records: number): void {
    let left = records;
    const { members } = this.parts;
    for (let k = 0; k < members.length; k += 1) {
      const { metrics, step } = members[k]!;
      if (step === undefined) continue;
      metrics.numRecordsIn += left;
      if (step.operator.form === 'filter') {
        left = this.passed[k]!;
        this.passed[k] = 0;
      }
      if (k < members.length - 1 && members[k + 1]!.step !== undefined)
        metrics.numRecordsOut += left;
    }
  }
}

/** Whether all of a batch's records have room behind what an output has open. */
const fits = (port: OutputPort, batch: RecordBatch): boolean =>
  port.open.count + batch.count <= coreLimits.batchRecordsMax;
