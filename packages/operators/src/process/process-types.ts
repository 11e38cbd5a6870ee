import type {
  BroadcastState,
  FunctionLifecycle,
  Logger,
  MetricGroup,
  OnError,
  ReadOnlyBroadcastState,
  StateDescriptor,
  Timer,
} from '@millrace/core/spi';
import type { TypeWitness } from './type-witness.js';

export type StateDeclarations = Readonly<Record<string, StateDescriptor>>;
/** State of an operator without a key: lists of its subtasks. */
export type OperatorStateDeclarations = Readonly<
  Record<string, StateDescriptor & { readonly kind: 'operatorList' }>
>;
/** State that a broadcast stream updates. */
export type BroadcastDeclarations = Readonly<
  Record<string, StateDescriptor & { readonly kind: 'broadcast' }>
>;
export type SideDeclarations = Readonly<Record<string, TypeWitness<unknown>>>;

type HandlesOf<S> = {
  readonly [N in keyof S]: S[N] extends StateDescriptor<infer H> ? H : never;
} & {};

type ReadOnlyHandlesOf<B> = {
  readonly [N in keyof B]: B[N] extends StateDescriptor<BroadcastState<infer K, infer V>>
    ? ReadOnlyBroadcastState<K, V>
    : never;
} & {};

export type SideTypes<S> = {
  readonly [N in keyof S]: S[N] extends TypeWitness<infer T> ? T : never;
} & {};

/**
 * What all process functions see. One object per operator: do not keep it. Behind the call it was
 * given to, in a promise for example, its state, timers and outputs throw `ERR_OUTSIDE_CALL`, and its
 * key and times are of some other record.
 */
export interface ProcessContext<O, Side, R> {
  readonly operatorId: string;
  readonly subtask: number;
  /** Event time of the record, or of the timer; epoch ms. */
  readonly timestamp: number;
  /** Watermark of the operator, epoch ms; −∞ before the first. */
  readonly watermark: number;
  /** Processing time, read once for each batch; epoch ms. */
  readonly processingTime: number;
  /** What `setup` returned. */
  readonly resource: R;
  readonly metrics: MetricGroup;
  readonly log: Logger;
  /** Side outputs by name: `ctx.side.big(p)`. */
  readonly side: { readonly [N in keyof Side]: (value: Side[N]) => void };
  /** A result; its timestamp is that of the record or timer. */
  emit(value: O): void;
}

/** What process functions without a key see. */
export interface OperatorProcessContext<O, S, Side, R> extends ProcessContext<O, Side, R> {
  /** State of this subtask, by the declared names. */
  readonly state: HandlesOf<S>;
}

/** What keyed process functions see. */
export interface KeyedProcessContext<K, O, S, Side, T extends string, R>
  extends ProcessContext<O, Side, R> {
  /** The key whose record or timer this is. */
  readonly key: K;
  /** State of this key, by the declared names. */
  readonly state: HandlesOf<S>;
  /** Timers of this key, named by their handlers. */
  readonly timers: { readonly [N in T]: Timer };
}

/** What functions without a key see beside broadcast state. */
export interface BroadcastProcessContext<O, B, Side, R> extends ProcessContext<O, Side, R> {
  /** What the updates have left, by the declared names; only `processBroadcast` may change it. */
  readonly broadcast: ReadOnlyHandlesOf<B>;
}

/** What keyed functions see beside broadcast state. */
export interface KeyedBroadcastProcessContext<K, O, S, B, Side, T extends string, R>
  extends KeyedProcessContext<K, O, S, Side, T, R> {
  /** What the updates have left, by the declared names; only `processBroadcast` may change it. */
  readonly broadcast: ReadOnlyHandlesOf<B>;
}

/** What `processBroadcast` sees: no key, and so neither its state nor timers. */
export interface BroadcastUpdateContext<O, B, Side, R> extends ProcessContext<O, Side, R> {
  /** Broadcast state, by the declared names. */
  readonly broadcast: HandlesOf<B>;
}

/** What is declared for the input of updates. */
export interface BroadcastUpdates<U, O, B extends BroadcastDeclarations, Side, R> {
  /** Broadcast state, by name. */
  readonly broadcast: B;
  /**
   * Called in every subtask for each record of the updates, in the order in which they arrive.
   * The copies must stay the same: what it does to them depends on the record and on them alone,
   * not on the subtask, the clock or chance. What it emits, every subtask emits.
   */
  processBroadcast(update: U, context: BroadcastUpdateContext<O, B, Side, R>): void;
}

/** What every process function may declare beside its functions. */
export interface ProcessDeclarations<O, Side extends SideDeclarations, R>
  extends FunctionLifecycle<R> {
  /** The type of what is emitted. */
  readonly output: TypeWitness<O>;
  /** Side outputs with their types. */
  readonly side?: Side | undefined;
  readonly onError?: OnError | undefined;
  readonly parallelism?: number | undefined;
}

/** Handlers of timers; a handler's name is its timer's. */
export interface TimerHandlers<C, E extends string, P extends string> {
  /**
   * Called when the watermark has passed a timer. At the end of input that is +∞: timers that set
   * each other fire until they stop, or for `ERR_ENDLESS_TIMERS`.
   */
  readonly onEventTime?: { readonly [N in E]: (atMs: number, context: C) => void } | undefined;
  /** Called when the clock has reached a timer. */
  readonly onProcessingTime?: { readonly [N in P]: (atMs: number, context: C) => void } | undefined;
}
