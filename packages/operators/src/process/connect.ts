import {
  type DeadLetter,
  type KeyedStream,
  outputOf,
  type StreamWithSides,
  streamWithSidesOf,
} from '@millrace/core/spi';
import { addProcess, processFunctionsOf } from './process-node.js';
import type {
  KeyedProcessContext,
  ProcessDeclarations,
  SideDeclarations,
  SideTypes,
  StateDeclarations,
  TimerHandlers,
} from './process-types.js';

/** The parts of a process function over two keyed inputs that share state. */
export interface ConnectSpec<
  L,
  Q,
  K,
  O,
  S extends StateDeclarations,
  Side extends SideDeclarations,
  E extends string,
  P extends string,
  R,
> extends ProcessDeclarations<O, Side, R>,
    TimerHandlers<KeyedProcessContext<K, O, S, SideTypes<Side>, E | P, R>, E, P> {
  /** State of each key, by name; both inputs see it. */
  readonly state?: S | undefined;
  /** Called for each record of the stream in the pipe. */
  processLeft(value: L, context: KeyedProcessContext<K, O, S, SideTypes<Side>, E | P, R>): void;
  /** Called for each record of the other stream. */
  processRight(value: Q, context: KeyedProcessContext<K, O, S, SideTypes<Side>, E | P, R>): void;
}

/**
 * Two keyed streams in one operator: they share each key's state and timers. Records of the two
 * come in no fixed order; where event time must decide, keep them and set a timer.
 *
 * @param id binds the state
 * @param right must have keys of the same type
 * @example payments.pipe(keyBy((p) => p.card), connect('limits', limits.pipe(keyBy((l) => l.card)), {
 *   output: type<Payment>(),
 *   state: { limit: valueState<number>() },
 *   processLeft(p, ctx) { if (p.amount > (ctx.state.limit.get() ?? Infinity)) ctx.emit(p); },
 *   processRight(l, ctx) { ctx.state.limit.set(l.amount); },
 * }))
 */
export function connect<
  L,
  Q,
  K,
  O,
  R = undefined,
  S extends StateDeclarations = Record<never, never>,
  Side extends SideDeclarations = Record<never, never>,
  E extends string = never,
  P extends string = never,
>(
  id: string,
  right: KeyedStream<Q, NoInfer<K>>,
  spec: ConnectSpec<L, Q, K, O, S, Side, E, P, R>,
): (
  input: KeyedStream<L, K>,
) => StreamWithSides<O, SideTypes<Side> & { readonly deadLetters: DeadLetter<L | Q> }> {
  return (input) => {
    const functions = processFunctionsOf(spec, [spec.processLeft, spec.processRight]);
    const inputs = [outputOf(input), outputOf(right)];
    const ref = addProcess(id, 'connect', true, functions, inputs);
    return streamWithSidesOf(ref, [...Object.keys(spec.side ?? {}), 'deadLetters'] as never);
  };
}
