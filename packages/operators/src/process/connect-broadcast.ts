import {
  type DeadLetter,
  type KeyedStream,
  type OutputRef,
  outputOf,
  type Stream,
  type StreamWithSides,
  streamWithSidesOf,
} from '@millrace/core/spi';
import { broadcast } from '../movement.js';
import { addProcess, processFunctionsOf } from './process-node.js';
import type {
  BroadcastDeclarations,
  BroadcastProcessContext,
  BroadcastUpdates,
  KeyedBroadcastProcessContext,
  ProcessDeclarations,
  SideDeclarations,
  SideTypes,
  StateDeclarations,
  TimerHandlers,
} from './process-types.js';

/** The parts of a process function without a key beside an input of updates. */
export interface ConnectBroadcastSpec<
  T,
  U,
  O,
  B extends BroadcastDeclarations,
  Side extends SideDeclarations,
  R,
> extends ProcessDeclarations<O, Side, R>,
    BroadcastUpdates<U, O, B, SideTypes<Side>, R> {
  /** Called for each record of the stream in the pipe. */
  process(value: T, context: BroadcastProcessContext<O, B, SideTypes<Side>, R>): void;
}

/** The parts of a keyed process function beside an input of updates. */
export interface KeyedConnectBroadcastSpec<
  T,
  U,
  K,
  O,
  B extends BroadcastDeclarations,
  S extends StateDeclarations,
  Side extends SideDeclarations,
  E extends string,
  P extends string,
  R,
> extends ProcessDeclarations<O, Side, R>,
    BroadcastUpdates<U, O, B, SideTypes<Side>, R>,
    TimerHandlers<KeyedBroadcastProcessContext<K, O, S, B, SideTypes<Side>, E | P, R>, E, P> {
  /** State of each key, by name; `processBroadcast` has no key and does not see it. */
  readonly state?: S | undefined;
  /** Called for each record of the stream in the pipe. */
  process(
    value: T,
    context: KeyedBroadcastProcessContext<K, O, S, B, SideTypes<Side>, E | P, R>,
  ): void;
}

type Output<T, U, O, Side> = StreamWithSides<
  O,
  SideTypes<Side> & { readonly deadLetters: DeadLetter<T | U> }
>;

/**
 * A stream beside one of updates (rules, rates, switches), which every subtask gets all of and
 * keeps in broadcast state. `process` reads that state, `processBroadcast` changes it.
 *
 * Records of the two come in no fixed order. The operator's watermark is the lower one of both: an
 * input of updates that falls silent needs `idleAfter`, or time stands still.
 *
 * @param id binds the state
 * @param updates goes to all subtasks, whatever its keys
 * @throws MillraceError `ERR_STATE_READ_ONLY` where `process` changes broadcast state after a cast
 * @example payments.pipe(connectBroadcast('convert', rates, {
 *   output: type<Payment>(),
 *   broadcast: { rates: broadcastState<string, number>() },
 *   process(p, ctx) {
 *     const rate = ctx.broadcast.rates.get(p.currency);
 *     if (rate !== undefined) ctx.emit({ ...p, amount: p.amount * rate });
 *   },
 *   processBroadcast(r, ctx) { ctx.broadcast.rates.set(r.currency, r.rate); },
 * }))
 */
export function connectBroadcast<
  T,
  U,
  O,
  R = undefined,
  B extends BroadcastDeclarations = Record<never, never>,
  Side extends SideDeclarations = Record<never, never>,
>(
  id: string,
  updates: Stream<U>,
  spec: ConnectBroadcastSpec<T, U, O, B, Side, R>,
): (input: Stream<T>) => Output<T, U, O, Side> {
  return (input) => connected({ id, updates, spec, keyed: false }, outputOf(input));
}

/**
 * The same behind `keyBy`: beside broadcast state, `process` has state and timers of its key.
 *
 * @param id binds the state
 * @param updates goes to all subtasks, whatever its keys
 * @throws MillraceError `ERR_INVALID_OPTION` where a name is declared as state and as broadcast
 *   state; `ERR_STATE_READ_ONLY` where `process` or a timer changes broadcast state after a cast
 * @example payments.pipe(keyBy((p) => p.card), keyedConnectBroadcast('rules', rules, {
 *   output: type<Alert>(),
 *   broadcast: { limits: broadcastState<string, number>() },
 *   state: { spent: valueState<number>() },
 *   process(p, ctx) {
 *     const spent = (ctx.state.spent.get() ?? 0) + p.amount;
 *     ctx.state.spent.set(spent);
 *     for (const [rule, limit] of ctx.broadcast.limits.entries()) {
 *       if (spent > limit) ctx.emit({ card: ctx.key, rule });
 *     }
 *   },
 *   processBroadcast(r, ctx) { ctx.broadcast.limits.set(r.rule, r.limit); },
 * }))
 */
export function keyedConnectBroadcast<
  T,
  U,
  K,
  O,
  R = undefined,
  B extends BroadcastDeclarations = Record<never, never>,
  S extends StateDeclarations = Record<never, never>,
  Side extends SideDeclarations = Record<never, never>,
  E extends string = never,
  P extends string = never,
>(
  id: string,
  updates: Stream<U>,
  spec: KeyedConnectBroadcastSpec<T, U, K, O, B, S, Side, E, P, R>,
): (input: KeyedStream<T, K>) => Output<T, U, O, Side> {
  return (input) => connected({ id, updates, spec, keyed: true }, outputOf(input));
}

interface Connected {
  readonly id: string;
  readonly updates: Stream<unknown>;
  readonly spec: {
    process(value: never, context: never): void;
    processBroadcast(update: never, context: never): void;
    readonly side?: SideDeclarations | undefined;
  };
  readonly keyed: boolean;
}

function connected<O, S>(
  { id, updates, spec, keyed }: Connected,
  input: OutputRef,
): StreamWithSides<O, S> {
  const functions = processFunctionsOf(spec, [spec.process, spec.processBroadcast]);
  const inputs = [input, outputOf(updates.pipe(broadcast()))];
  const operator = keyed ? 'keyedConnectBroadcast' : 'connectBroadcast';
  const ref = addProcess(id, operator, keyed, functions, inputs);
  return streamWithSidesOf(ref, [...Object.keys(spec.side ?? {}), 'deadLetters'] as never);
}
