import { coreLimits, RecordContext, wantsContext } from '@millrace/core/internal';
import {
  type DeadLetter,
  type Operator,
  type OperatorContext,
  type OperatorFactory,
  type Outputs,
  outputOf,
  type RecordBatch,
  RecordFailure,
  type Stream,
  type StreamWithSides,
  streamWithSidesOf,
} from '@millrace/core/spi';
import { endedFirst } from './ended-first.js';
import type {
  DeadLetterOptions,
  FunctionOptions,
  NotPromise,
  RecordFunction,
} from './function-options.js';
import { iteratorOf } from './iterator-of.js';
import { refuseAsync } from './refuse-async.js';

/**
 * Any number of records for each record.
 *
 * With an error policy that goes on, up to 65,536 rows of a record wait until its generator has
 * ended, so that one that throws leaves none of them; what a longer one gave by then stays, and its
 * record is not tried again.
 *
 * @param fn gives an array, or for many records a generator, which is taken in steps: so a million
 *   rows from one record wait their turn in it
 * @example orders.pipe(flatMap((order) => order.items))
 */
export function flatMap<T, U, R = undefined>(
  fn: RecordFunction<T, Iterable<U>, R> & NotPromise<U>,
  options: DeadLetterOptions<R>,
): (input: Stream<T>) => StreamWithSides<U, { deadLetters: DeadLetter<T> }>;
export function flatMap<T, U, R = undefined>(
  fn: RecordFunction<T, Iterable<U>, R> & NotPromise<U>,
  options?: FunctionOptions<R>,
): (input: Stream<T>) => Stream<U>;
export function flatMap(
  fn: (value: never, context: never) => Iterable<unknown>,
  // biome-ignore lint/suspicious/noExplicitAny: overloads above are what callers see
  options: FunctionOptions<any> = {},
): (input: Stream<unknown>) => never {
  return (input) => {
    const from = outputOf(input);
    const definition: OperatorFactory = {
      form: 'factory',
      create: (context) => new FlatMapOperator(fn as RowsOf, options, context),
    };
    const ref = from.builder.add({
      id: options.id,
      kind: 'oneInput',
      operator: 'flatMap',
      definition,
      inputs: [{ from }],
      onError: options.onError,
      parallelism: options.parallelism,
    });
    refuseAsync(ref.node, [fn], 'the function of flatMap must not be async');
    return streamWithSidesOf(ref, ['deadLetters'] as never) as never;
  };
}

type RowsOf = (value: unknown, context: unknown) => Iterable<unknown>;

/** Calls the function at one record, in code of its own for each operator. */
type Expand = (value: unknown, timestamp: number) => Iterable<unknown>;

class FlatMapOperator implements Operator {
  /** Rows of the record at hand that are still to be emitted. */
  private rows: Iterator<unknown> | undefined;
  private readonly expand: Expand;
  private readonly recordContext: RecordContext;
  private readonly options: FunctionOptions<unknown>;
  private readonly operatorId: string;
  private readonly goesOn: boolean;

  constructor(fn: RowsOf, options: FunctionOptions<unknown>, context: OperatorContext) {
    this.options = options;
    this.operatorId = context.operatorId;
    this.goesOn = context.policy.action !== 'fail';
    this.recordContext = new RecordContext(context);
    this.expand = expandOf(fn, this.recordContext, context);
  }

  async open(): Promise<void> {
    this.recordContext.resource = await this.options.setup?.(this.recordContext);
  }

  processBatch(batch: RecordBatch, from: number, out: Outputs): number {
    const { values, timestamps, count } = batch;
    let i = from;
    try {
      for (; i < count; i += 1) {
        if (this.rows === undefined) this.begin(values[i], timestamps[i]!, out);
        if (!this.emitRows(timestamps[i]!, out)) return i;
        if (out.isFull()) return i + 1;
      }
    } catch (error) {
      // Rows are only taken in steps once there are more than may wait.
      const hasGiven = this.rows !== undefined;
      this.rows = undefined;
      throw new RecordFailure(i, this.operatorId, error, { hasGiven });
    }
    return count;
  }

  async close(): Promise<void> {
    await this.options.teardown?.(this.recordContext.resource);
  }

  /** Emits a short array at once; anything else waits in `rows`. */
  private begin(value: unknown, timestamp: number, out: Outputs): void {
    const rows = this.expand(value, timestamp);
    if (Array.isArray(rows) && rows.length <= coreLimits.batchRecordsMax) {
      for (let r = 0; r < rows.length; r += 1) out.main.emit(rows[r], timestamp);
    } else {
      this.rows = this.goesOn ? endedFirst(rows) : iteratorOf(rows);
    }
  }

  private emitRows(timestamp: number, out: Outputs): boolean {
    while (this.rows !== undefined) {
      if (out.isFull()) return false;
      const next = this.rows.next();
      if (next.done === true) this.rows = undefined;
      else out.main.emit(next.value, timestamp);
    }
    return true;
  }
}

function expandOf(fn: RowsOf, recordContext: RecordContext, context: OperatorContext): Expand {
  const plain: Expand = (value, timestamp) => {
    recordContext.timestamp = timestamp;
    return fn(value, recordContext);
  };
  if (context.codegen === 'off') return plain;
  const call = wantsContext(fn)
    ? 'context.timestamp = t; return fn(value, context);'
    : 'return fn(value);';
  return context.compile<Expand>('flatMap', {
    names: ['fn', 'context'],
    values: [fn, recordContext],
    body: `return function expand(value, t) { ${call} };`,
  });
}
