import { markInstances } from '../errors/marked-class.js';
import type { Key } from '../keys/key-codec.js';
import type { RecordBatch } from './element.js';
import type { Env } from './env.js';
import type { ErrorPolicy } from './errors.js';
import type {
  KeyedStateAccess,
  KeyGroupTimes,
  KeyTable,
  KeyTableSpec,
  KeyTables,
  OperatorStateAccess,
  StateDescriptor,
  StateTableSpec,
  StateTime,
} from './state.js';
import type { Logger, MetricGroup } from './telemetry.js';

/**
 * `done`: the control element is dealt with and goes on downstream. `more`: call again with the
 * same argument, after the output written so far has been taken.
 */
export type Progress = 'done' | 'more';

/** What an operator writes into: the open batch of its main output and of each side output. */
export interface Outputs {
  /**
   * The open batch of the main output. The engine replaces it when it hands it on, which happens
   * only between calls: read it anew in every call.
   */
  main: RecordBatch;
  /** True when somebody consumes the side output; otherwise what is written there is not kept. */
  isConsumed(side: string): boolean;
  /** Open batch of a declared side output that is consumed. */
  side(name: string): RecordBatch;
  /**
   * True when an output has reached its 512 rows: the operator returns (the index of the next
   * record, or `more`) and is called again when there is credit.
   */
  isFull(): boolean;
  /**
   * Remembers how much has been written. When the call then throws a `RecordFailure`, what was
   * written since is taken back. Needed only where the error policy goes on after a failure.
   */
  mark(): void;
}

/**
 * One subtask's instance of an operator. It is called by one thread, never re-entered.
 *
 * Order of calls: `open` once, then any of `processBatch`, `onWatermark`, `onProcessingTime`,
 * then `onEnd` until done when all inputs ended, then `close` once (also after a failure).
 *
 * A call emits about 512 rows at the most and then returns; that is how a slow receiver slows
 * its sender. One record may overdraw this by its own output up to `recordOutputRowsMax`.
 */
export interface Operator {
  /**
   * Called before the first record; may do I/O. A rejection fails the attempt. State restored from
   * a checkpoint is there: what was derived from it is made again here.
   */
  open?(): void | Promise<void>;

  /**
   * Takes the records `from … count` of a batch and returns the index of the first one it did not
   * take: `batch.count` when all are done, less when the outputs are full. The batch stays the
   * engine's.
   *
   * When the author's function throws at a record, throws a `RecordFailure` with its index: the
   * engine applies the error policy and calls again from that record (retry) or the next one.
   *
   * @param input which input of a two-input operator: 0 left, 1 right
   */
  processBatch(batch: RecordBatch, from: number, out: Outputs, input: 0 | 1): number;

  /**
   * Called ahead of each `processBatch` and `onWatermark` where state may be outside memory: begins
   * to load what the call will need. The engine waits for the promise and then makes the call; what
   * was loaded stays in memory until it has returned. Undefined: everything is there.
   *
   * @param next the batch and its first record, or the watermark
   */
  prefetch?(next: Prefetch): Promise<void> | undefined;

  /**
   * The same as `processBatch` as text, for the engine to fuse. Only operators of one keyed input
   * whose factory says `fuses` have it.
   */
  recordLoop?(): RecordLoop;

  /** The watermark of all inputs has moved to `timeMs`: fire what is due before it. */
  onWatermark?(timeMs: number, out: Outputs): Progress;

  /** Fires processing-time timers that are due at `nowMs`. Called between batches. */
  onProcessingTime?(nowMs: number, out: Outputs): Progress;

  /** When `onProcessingTime` wants to be called next, epoch ms; +∞ for never. */
  nextProcessingTimeMs?(): number;

  /**
   * What failed at −1 is to be done again by the next call, since the policy says retry. Without
   * it such a failure is passed over.
   */
  retryFiring?(): void;

  /**
   * A barrier or an idle mark comes next: gives out all that belongs ahead of it and is in no state.
   * Called until done; ahead of a barrier state is frozen then.
   */
  onBarrier?(out: Outputs): Progress;

  /** All inputs have ended; called after the watermark +∞. */
  onEnd?(out: Outputs): Progress;

  /**
   * A call, or several in a row, has ended and was undone if it had to be: what authors' functions
   * were given must not be used until the next one.
   */
  afterCalls?(): void;

  /** Called once at the end of the attempt, whatever its end. Frees what `open` made. */
  close?(): void | Promise<void>;
}

/** What an operator will be called with next. */
export type Prefetch =
  | {
      readonly kind: 'batch';
      readonly batch: RecordBatch;
      readonly from: number;
      readonly input: 0 | 1;
    }
  | { readonly kind: 'watermark'; readonly timeMs: number };

/** Generated code and the values it closes over, by name. */
export interface GeneratedSource {
  /** Parameter names of the outer function, in the order of `values`. */
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  /** Body of the outer function; it returns the function that is wanted. */
  readonly body: string;
}

/**
 * An operator's work on one record as text, so that the engine can put it into one loop with what
 * comes ahead of it (filters, maps, the extraction of keys and columns).
 */
export interface RecordLoop {
  /** Names that the texts close over, with their values. */
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  /** Statements ahead of the loop; what they declare lives as long as a batch. */
  readonly before: string;
  /**
   * Statements at the start of each record, ahead of everything fused before the operator: marks
   * that a failure anywhere in the record goes back to.
   */
  readonly begin?: string | undefined;
  /**
   * Statements for record `i`. They read `t` (its timestamp), `key`, `value`, `x0` … (the inputs of
   * the edge's projection) and `out`. `continue` ends the record; with full outputs they leave by
   * `{ i += 1; break; }`.
   */
  readonly record: string;
}

/** What an operator gets when a subtask creates it. */
export interface OperatorContext {
  readonly operatorId: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly env: Env;
  readonly metrics: MetricGroup;
  readonly log: Logger;
  readonly policy: ErrorPolicy;
  /** `off` where code generation is not allowed: the operator uses its plain form. */
  readonly codegen: 'on' | 'off';
  /**
   * Compiles generated code. Each compiled text is unique (V8 shares inline caches between equal
   * texts) and is printed by `millrace explain --code`.
   */
  compile<F>(label: string, source: GeneratedSource): F;
  /** `processBatch` of a record loop that is not fused with anything. */
  compileRecordLoop(loop: RecordLoop): Operator['processBatch'];
  /** State of the current key as declared in the graph. Only on keyed operators. */
  keyedState(
    descriptors: Readonly<Record<string, StateDescriptor>>,
    time: StateTime,
  ): KeyedStateAccess;
  /**
   * Lists and broadcast state of this subtask as declared in the graph. Lists only on operators
   * without a key.
   */
  operatorState(descriptors: Readonly<Record<string, StateDescriptor>>): OperatorStateAccess;
  /** Tables of accumulators by key, e.g. one for each slice of a window. */
  keyTables(state: string, spec: StateTableSpec): KeyTables;
  /** How far each key group has come, e.g. in firing windows. */
  keyGroupTimes(state: string): KeyGroupTimes;
  /** A table that is no state: for results in the making. */
  scratchTable(spec: KeyTableSpec): KeyTable;
  /** Whether changes of state are tracked; where not, generated code need not say `touch`. */
  readonly tracksChanges: boolean;
  /** The operator's current watermark, epoch ms; −∞ before the first. */
  watermark(): number;
}

/** Makes one operator for each subtask. The graph keeps it in its function table. */
export interface OperatorFactory {
  readonly form: 'factory';
  /** Its operators have a `recordLoop`. */
  readonly fuses?: boolean | undefined;
  /**
   * Its operators give at most one row for each record, in their order: so where a record stood in
   * its source is known behind them, too.
   */
  readonly rowsPerRecord?: 'atMostOne' | undefined;
  create(context: OperatorContext): Operator;
  /**
   * The same work in two phases, for where records change places on their way to the operator.
   * Undefined where it cannot be divided.
   */
  readonly phases?: OperatorPhases | undefined;
}

/**
 * An operator in two phases: records are aggregated where they are, and only what is left of them
 * goes to the subtask of their key (local–global aggregation).
 *
 * Law: both together give the same results as the undivided operator.
 */
export interface OperatorPhases {
  /** Columns of the rows in between, which have keys and timestamps besides, and no values. */
  readonly columns: readonly ('number' | 'any')[];
  /**
   * Takes what the undivided operator takes, and writes rows of these columns to its main output:
   * `keys`, `timestamps` and `columns` of the batch are there to be filled. It keeps no state:
   * everything is given out ahead of a watermark that it belongs before, of barriers and of the
   * end. Rows of one key may be given out any number of times.
   */
  createLocal(context: OperatorContext): Operator;
  /** Takes those rows. Has the state and the side outputs of the undivided operator. */
  createFinal(context: OperatorContext): Operator;
}

/**
 * Operators of at most one output row a record, which the engine fuses into one generated loop
 * with their neighbours.
 */
export interface InlineOperator {
  readonly form: 'map' | 'filter';
  /** The author's function; called with a context where it declares a second parameter. */
  readonly fn: (value: never, context: never) => unknown;
  readonly lifecycle?: FunctionLifecycle<unknown> | undefined;
}

/** Set-up and tear-down of an author's function, once per subtask. */
export interface FunctionLifecycle<R> {
  /** Makes what the function needs (a client, a model); its result is `context.resource`. */
  readonly setup?: ((context: SetupContext) => R | Promise<R>) | undefined;
  /** Frees it; also called after a failure. */
  readonly teardown?: ((resource: R) => void | Promise<void>) | undefined;
}

export interface SetupContext {
  readonly operatorId: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly metrics: MetricGroup;
  readonly log: Logger;
}

/**
 * What an author's function sees beside the record. One object for each operator, which is filled
 * anew for each record: do not keep it.
 */
export interface FunctionContext<R = undefined> extends SetupContext {
  /** Event time of the record, epoch ms. */
  readonly timestamp: number;
  /** Watermark of the operator, epoch ms; −∞ before the first. */
  readonly watermark: number;
  /** What `setup` returned. */
  readonly resource: R;
}

export type OperatorDefinition = InlineOperator | OperatorFactory;

/** What is known of a failure beside where it happened. */
export interface FailureDetail {
  /**
   * Event time of the timer or of the window's results, for what fails at −1; of the record, where
   * its batch does not have it.
   */
  readonly timestamp?: number | undefined;
  /** The record as the operator received it, where that is not the one of the batch. */
  readonly record?: unknown;
  /**
   * For what fails at −1: which of those that fire at one time, e.g. the window's canonical key. It
   * is the same by `Object.is` when it is tried again: so each of them has attempts of its own.
   */
  readonly of?: unknown;
  /** Whose timer or window it is, for what fails at −1. */
  readonly key?: Key | undefined;
  /** Rows that came of it have been handed on: it cannot be tried again. */
  readonly hasGiven?: boolean | undefined;
}

/**
 * The author's function threw `cause` at record `index` of the batch, or at −1: while a timer or a
 * window fired. The operator stands behind what failed when it is called again.
 */
export class RecordFailure extends Error {
  static {
    markInstances(RecordFailure, 'millrace.recordFailure');
  }

  readonly index: number;
  /** The operator whose function threw, where several are fused. */
  readonly operatorId: string;
  readonly detail: FailureDetail;

  constructor(index: number, operatorId: string, cause: unknown, detail: FailureDetail = {}) {
    super('a function threw at a record', { cause });
    this.name = 'RecordFailure';
    this.index = index;
    this.operatorId = operatorId;
    this.detail = detail;
  }
}
