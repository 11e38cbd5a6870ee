import { coreLimits, RecordContext } from '@millrace/core/internal';
import {
  type Clock,
  type DueTimer,
  type KeyedStateAccess,
  type Operator,
  type OperatorContext,
  type OperatorStateAccess,
  type Outputs,
  type Progress,
  type RecordBatch,
  RecordFailure,
  type RecordLoop,
  type Timer,
} from '@millrace/core/spi';
import type { ProcessFunctions } from './process-node.js';

/** The context of a process function: the record's, with outputs, state and timers. */
class ProcessRecordContext extends RecordContext {
  key: unknown = undefined;
  processingTime = 0;
  out: Outputs | undefined;
  readonly state: Readonly<Record<string, unknown>>;
  readonly timers: Readonly<Record<string, Timer>>;
  readonly side: Readonly<Record<string, (value: unknown) => void>>;
  private readonly clock: Clock;

  constructor(
    context: OperatorContext,
    functions: ProcessFunctions,
    access: KeyedStateAccess | undefined,
    handles: Readonly<Record<string, unknown>>,
  ) {
    super(context);
    this.clock = context.env.clock;
    this.state = handles;
    const names = (handlers: object | undefined): string[] => Object.keys(handlers ?? {});
    this.timers = Object.fromEntries([
      ...names(functions.onEventTime).map((name) => [name, access?.eventTimers.handle(name)]),
      ...names(functions.onProcessingTime).map((name) => [
        name,
        access?.processingTimers.handle(name),
      ]),
    ]);
    this.side = Object.fromEntries(
      names(functions.side).map((name) => [name, (value: unknown) => this.emitSide(name, value)]),
    );
  }

  beginBatch(out: Outputs): void {
    this.out = out;
    this.processingTime = this.clock.nowMs();
  }

  emit(value: unknown): void {
    this.out!.main.emit(value, this.timestamp);
  }

  private emitSide(name: string, value: unknown): void {
    if (this.out!.isConsumed(name)) this.out!.side(name).emit(value, this.timestamp);
  }
}

/** The lists of an operator without a key that declares some. */
function operatorStateOf(
  { state }: ProcessFunctions,
  context: OperatorContext,
): OperatorStateAccess | undefined {
  if (state === undefined || Object.keys(state).length === 0) return undefined;
  return context.operatorState(state);
}

/** Runs process functions of all kinds: with or without key, of one or two inputs. */
export class ProcessOperator implements Operator {
  private readonly functions: ProcessFunctions;
  /** Of the key; undefined without one. */
  private readonly access: KeyedStateAccess | undefined;
  /** What is to be undone when a record fails. */
  private readonly undoable: OperatorStateAccess | undefined;
  private readonly recordContext: ProcessRecordContext;
  private readonly keyed: boolean;
  private readonly loops: (Operator['processBatch'] | undefined)[] = [];
  private readonly operator: OperatorContext;
  private readonly undo: boolean;
  /** The timer whose handler threw last, and the one to be fired again. */
  private failed: DueTimer | undefined;
  private again: DueTimer | undefined;

  constructor(functions: ProcessFunctions, keyed: boolean, context: OperatorContext) {
    this.functions = functions;
    this.operator = context;
    const time = { recordMs: () => this.recordContext.timestamp };
    this.access = keyed ? context.keyedState(functions.state ?? {}, time) : undefined;
    this.undoable = this.access ?? operatorStateOf(functions, context);
    const handles = this.undoable?.handles ?? {};
    this.recordContext = new ProcessRecordContext(context, functions, this.access, handles);
    this.undo = context.policy.action !== 'fail';
    this.keyed = keyed;
  }

  async open(): Promise<void> {
    this.recordContext.resource = await this.functions.setup?.(this.recordContext);
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs, input: 0 | 1): number {
    this.loops[input] ??= this.loopOf(input);
    return this.loops[input](batch, from, out, input);
  }

  recordLoop(input: 0 | 1 = 0): RecordLoop {
    const { functions, recordContext, access, undoable, undo, keyed } = this;
    const key = keyed ? 'context.key = key; access.setKey(key);' : '';
    return {
      names: ['fn', 'context', 'access', 'undoable'],
      values: [functions.process[input], recordContext, access, undoable],
      before: 'context.beginBatch(out);',
      begin: undo ? `out.mark(); ${undoable ? 'undoable.begin();' : ''}` : undefined,
      record: `if (out.isFull()) break;
context.timestamp = t; ${key}
fn(value, context);`,
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
    const { functions, recordContext, access, undoable, undo } = this;
    recordContext.beginBatch(out);
    let i = from;
    try {
      for (; i < batch.count && !out.isFull(); i += 1) {
        recordContext.timestamp = batch.timestamps[i]!;
        if (access !== undefined) {
          recordContext.key = batch.keys![i];
          access.setKey(batch.keys![i]!);
        }
        if (undo) {
          out.mark();
          undoable?.begin();
        }
        functions.process[input]!(batch.values[i], recordContext);
      }
    } catch (error) {
      throw new RecordFailure(i, this.operator.operatorId, error);
    }
    return i;
  }

  onWatermark(timeMs: number, out: Outputs): Progress {
    return this.fireTimers('event', timeMs, out);
  }

  onProcessingTime(nowMs: number, out: Outputs): Progress {
    this.recordContext.processingTime = nowMs;
    // A timer is due when the clock has reached it; event time must be beyond it.
    return this.fireTimers('processing', nowMs + 1, out);
  }

  nextProcessingTimeMs(): number {
    return this.access?.processingTimers.nextMs() ?? Infinity;
  }

  async close(): Promise<void> {
    await this.functions.teardown?.(this.recordContext.resource);
  }

  retryFiring(): void {
    this.again = this.failed;
  }

  private fireTimers(kind: 'event' | 'processing', limitMs: number, out: Outputs): Progress {
    if (this.access === undefined) return 'done';
    const timers = kind === 'event' ? this.access.eventTimers : this.access.processingTimers;
    this.recordContext.out = out;
    // Timers that set timers may never come to an end: others have their turn in between.
    for (let fired = 0; fired < coreLimits.batchRecordsMax && !out.isFull(); fired += 1) {
      const due = this.again ?? timers.takeDue(limitMs);
      this.again = undefined;
      if (due === undefined) return 'done';
      this.fire(kind, due);
    }
    return 'more';
  }

  private fire(kind: 'event' | 'processing', { name, key, atMs }: DueTimer): void {
    const { functions, access, recordContext } = this;
    const handlers = kind === 'event' ? functions.onEventTime : functions.onProcessingTime;
    recordContext.timestamp = atMs;
    recordContext.key = key;
    access!.setKey(key);
    if (this.undo) {
      access!.begin();
      recordContext.out!.mark();
    }
    try {
      handlers![name]!(atMs, recordContext);
    } catch (error) {
      this.failed = { name, key, atMs };
      throw new RecordFailure(-1, this.operator.operatorId, error, atMs);
    }
  }
}
