import { MillraceError } from '@millrace/core';
import { coreLimits } from '@millrace/core/internal';
import {
  type DueTimer,
  type KeyedStateAccess,
  type Operator,
  type OperatorContext,
  type Outputs,
  type Progress,
  type RecordBatch,
  RecordFailure,
  type RecordLoop,
} from '@millrace/core/spi';
import { type ProcessInput, processInputs, type Undoable } from './process-inputs.js';
import type { ProcessFunctions } from './process-node.js';
import { setupContextOf } from './setup-context.js';

/** Runs process functions of all kinds: with or without key, of one or two inputs. */
export class ProcessOperator implements Operator {
  private readonly functions: ProcessFunctions;
  /** Of the key; undefined without one. */
  private readonly access: KeyedStateAccess | undefined;
  /** What is to be undone when a record fails. */
  private readonly undoable: Undoable | undefined;
  private readonly inputs: readonly ProcessInput[];
  private readonly loops: (Operator['processBatch'] | undefined)[] = [];
  private readonly operator: OperatorContext;
  private readonly undo: boolean;
  /** The timer whose handler threw last, and the one to be fired again. */
  private failed: DueTimer | undefined;
  private again: DueTimer | undefined;
  /** The last watermark whose timers have all fired. */
  private firedMs = -Infinity;
  /** How many more may fire at the end of input; undefined before. */
  private endTimersLeft: number | undefined;

  constructor(functions: ProcessFunctions, keyed: boolean, context: OperatorContext) {
    this.functions = functions;
    this.operator = context;
    const { inputs, access, undoable } = processInputs(functions, keyed, context);
    this.inputs = inputs;
    this.access = access;
    this.undoable = undoable;
    this.undo = context.policy.action !== 'fail';
  }

  async open(): Promise<void> {
    const resource = await this.functions.setup?.(setupContextOf(this.operator));
    for (const { context } of this.inputs) context.resource = resource;
    this.afterCalls();
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs, input: 0 | 1): number {
    this.loops[input] ??= this.loopOf(input);
    return this.loops[input](batch, from, out, input);
  }

  recordLoop(input: 0 | 1 = 0): RecordLoop {
    const { undoable, undo } = this;
    const { fn, context, access } = this.inputs[input]!;
    const key = access === undefined ? '' : 'context.key = key; access.setKey(key);';
    return {
      names: ['fn', 'context', 'access', 'undoable'],
      values: [fn, context, access, undoable],
      before: 'context.beginBatch(out);',
      begin: undo ? `out.mark(); ${undoable ? 'undoable.begin();' : ''}` : undefined,
      // Not ahead of the record: what is fused before the operator has dealt with it by then.
      record: `context.timestamp = t; ${key}
fn(value, context);
if (out.isFull()) { i += 1; break; }`,
    };
  }

  private loopOf(input: 0 | 1): Operator['processBatch'] {
    if (this.operator.codegen === 'on') {
      return this.operator.compileRecordLoop(this.recordLoop(input));
    }
    return (batch, from, out) => this.plainLoop(batch, from, out, input);
  }

  /** The same without generated code. */
  private plainLoop(batch: RecordBatch, from: number, out: Outputs, input: 0 | 1): number {
    const { undoable, undo } = this;
    const { fn, context, access } = this.inputs[input]!;
    context.beginBatch(out);
    let i = from;
    try {
      for (; i < batch.count && !out.isFull(); i += 1) {
        context.timestamp = batch.timestamps[i]!;
        if (access !== undefined) {
          context.key = batch.keys![i];
          access.setKey(batch.keys![i]!);
        }
        if (undo) {
          out.mark();
          undoable?.begin();
        }
        fn(batch.values[i], context);
      }
    } catch (error) {
      throw new RecordFailure(i, this.operator.operatorId, error);
    }
    return i;
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    // The last record may be long ago, or from before a restore.
    this.timerContext.beginBatch(out);
    if (timeMs === Infinity) this.endTimersLeft ??= this.endTimers();
    const progress = this.fireTimers('event', timeMs, out);
    if (progress === 'done') this.firedMs = timeMs;
    return progress;
  }

  onProcessingTime(nowMs: number, out: Outputs): Progress {
    this.timerContext.processingTime = nowMs;
    // A timer is due when the clock has reached it; event time must be beyond it.
    return this.fireTimers('processing', nowMs + 1, out);
  }

  nextProcessingTimeMs(): number {
    return this.access?.processingTimers.nextMs() ?? Infinity;
  }

  afterCalls(): void {
    for (const { context } of this.inputs) context.endCalls();
    this.access?.leave();
  }

  async close(): Promise<void> {
    await this.functions.teardown?.(this.timerContext.resource);
  }

  retryFiring(): void {
    this.again = this.failed;
  }

  /** Timers belong to keys, and so to the first input. */
  private get timerContext(): ProcessInput['context'] {
    return this.inputs[0]!.context;
  }

  private fireTimers(kind: 'event' | 'processing', limitMs: number, out: Outputs): Progress {
    if (this.access === undefined) return 'done';
    const timers = kind === 'event' ? this.access.eventTimers : this.access.processingTimers;
    this.timerContext.beginCall(out);
    // Timers that set timers may never come to an end: others have their turn in between.
    for (let fired = 0; fired < coreLimits.batchRecordsMax && !out.isFull(); fired += 1) {
      const due = this.again ?? timers.takeDue(limitMs);
      this.again = undefined;
      if (due === undefined) return 'done';
      if (kind === 'event' && this.endTimersLeft !== undefined) this.countAtEnd(due);
      this.fire(kind, due);
    }
    return 'more';
  }

  private countAtEnd({ name, atMs }: DueTimer): void {
    this.endTimersLeft! -= 1;
    if (this.endTimersLeft! >= 0) return;
    const { operatorId: operator } = this.operator;
    const detail = `more timers have fired than may at the end; ${name} is next, for ${atMs}`;
    throw new MillraceError('ERR_ENDLESS_TIMERS', detail, { operator });
  }

  private endTimers(): number {
    const { endTimersEachMax, endTimersMin } = coreLimits;
    return Math.max(endTimersMin, (this.access?.eventTimers.size ?? 0) * endTimersEachMax);
  }

  private fire(kind: 'event' | 'processing', due: DueTimer): void {
    const { name, key, atMs } = due;
    const { functions, access, timerContext } = this;
    const handlers = kind === 'event' ? functions.onEventTime : functions.onProcessingTime;
    timerContext.timestamp = atMs;
    timerContext.key = key;
    timerContext.firing = kind;
    // However far the watermark went at once, what lives until after the timer is there for it.
    if (kind === 'event') timerContext.dueMs = Math.max(this.firedMs, atMs + 1);
    access!.setKey(key);
    if (this.undo) {
      this.undoable!.begin();
      timerContext.out!.mark();
    }
    try {
      handlers![name]!(atMs, timerContext);
    } catch (error) {
      this.failed = due;
      throw new RecordFailure(-1, this.operator.operatorId, error, {
        timestamp: atMs,
        of: due,
        key,
      });
    } finally {
      timerContext.firing = undefined;
      timerContext.dueMs = Infinity;
    }
  }
}
