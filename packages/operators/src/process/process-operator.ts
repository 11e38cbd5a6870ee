import { RecordContext } from '@millrace/core/internal';
import {
  type DueTimer,
  type KeyedStateAccess,
  type Operator,
  type OperatorContext,
  type Outputs,
  type Progress,
  type RecordBatch,
  RecordFailure,
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

  constructor(
    context: OperatorContext,
    functions: ProcessFunctions,
    access: KeyedStateAccess | undefined,
  ) {
    super(context);
    this.state = access?.handles ?? {};
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

  emit(value: unknown): void {
    this.out!.main.emit(value, this.timestamp);
  }

  private emitSide(name: string, value: unknown): void {
    if (this.out!.isConsumed(name)) this.out!.side(name).emit(value, this.timestamp);
  }
}

/** Calls the next record's function, in code of its own for each operator and input. */
type CallLoop = (
  batch: RecordBatch,
  from: number,
  out: Outputs,
  context: ProcessRecordContext,
  access: KeyedStateAccess | undefined,
) => number;

/** Runs process functions of all kinds: with or without key, of one or two inputs. */
export class ProcessOperator implements Operator {
  private readonly functions: ProcessFunctions;
  private readonly access: KeyedStateAccess | undefined;
  private readonly recordContext: ProcessRecordContext;
  private readonly loops: readonly CallLoop[];
  private readonly operator: OperatorContext;
  private readonly undo: boolean;

  constructor(functions: ProcessFunctions, keyed: boolean, context: OperatorContext) {
    this.functions = functions;
    this.operator = context;
    this.access = keyed ? context.keyedState(functions.state ?? {}) : undefined;
    this.recordContext = new ProcessRecordContext(context, functions, this.access);
    this.undo = context.policy.action !== 'fail';
    this.loops = functions.process.map((fn) => callLoopOf(fn, keyed, this.undo, context));
  }

  async open(): Promise<void> {
    this.recordContext.resource = await this.functions.setup?.(this.recordContext);
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs, input: 0 | 1): number {
    this.recordContext.processingTime = this.operator.env.clock.nowMs();
    this.recordContext.out = out;
    return this.loops[input]!(batch, from, out, this.recordContext, this.access);
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

  private fireTimers(kind: 'event' | 'processing', limitMs: number, out: Outputs): Progress {
    if (this.access === undefined) return 'done';
    const timers = kind === 'event' ? this.access.eventTimers : this.access.processingTimers;
    this.recordContext.out = out;
    while (!out.isFull()) {
      const due = timers.takeDue(limitMs);
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
      throw new RecordFailure(-1, this.operator.operatorId, error);
    }
  }
}

function callLoopOf(
  fn: (value: unknown, context: unknown) => void,
  keyed: boolean,
  undo: boolean,
  context: OperatorContext,
): CallLoop {
  if (context.codegen === 'off') return plainCallLoop(fn, keyed, undo, context.operatorId);
  return context.compile<CallLoop>('process', {
    names: ['fn', 'RecordFailure'],
    values: [fn, RecordFailure],
    body: `return function callLoop(batch, from, out, context, access) {
  const values = batch.values, timestamps = batch.timestamps, count = batch.count;
  ${keyed ? 'const keys = batch.keys;' : ''}
  let i = from;
  try {
    for (; i < count; i += 1) {
      if (out.isFull()) return i;
      context.timestamp = timestamps[i];
      ${keyed ? 'const key = keys[i]; context.key = key; access.setKey(key);' : ''}
      ${undo ? `out.mark(); ${keyed ? 'access.begin();' : ''}` : ''}
      fn(values[i], context);
    }
  } catch (error) {
    throw new RecordFailure(i, ${JSON.stringify(context.operatorId)}, error);
  }
  return count;
};`,
  });
}

/** The same without generated code. */
function plainCallLoop(
  fn: (value: unknown, context: unknown) => void,
  keyed: boolean,
  undo: boolean,
  operatorId: string,
): CallLoop {
  return (batch, from, out, context, access) => {
    let i = from;
    try {
      for (; i < batch.count && !out.isFull(); i += 1) {
        context.timestamp = batch.timestamps[i]!;
        if (keyed) {
          context.key = batch.keys![i];
          access!.setKey(batch.keys![i]!);
        }
        if (undo) out.mark();
        if (undo && keyed) access!.begin();
        fn(batch.values[i], context);
      }
    } catch (error) {
      throw new RecordFailure(i, operatorId, error);
    }
    return i;
  };
}
