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

/** The parts of a keyed process function. */
export interface KeyedProcessSpec<
  T,
  K,
  O,
  S extends StateDeclarations,
  Side extends SideDeclarations,
  E extends string,
  P extends string,
  R,
> extends ProcessDeclarations<O, Side, R>,
    TimerHandlers<KeyedProcessContext<K, O, S, SideTypes<Side>, E | P, R>, E, P> {
  /** State of each key, by name. */
  readonly state?: S | undefined;
  /** Called for each record. */
  process(value: T, context: KeyedProcessContext<K, O, S, SideTypes<Side>, E | P, R>): void;
}

/**
 * The operator for what no other one says: any output for each record, with state and timers of
 * its key.
 *
 * @param id binds the state
 * @example payments.pipe(keyBy((p) => p.card), keyedProcess('idle-cards', {
 *   output: type<{ card: string }>(),
 *   state: { last: valueState<number>() },
 *   process(p, ctx) {
 *     ctx.state.last.set(p.at);
 *     ctx.timers.idle.clear();
 *     ctx.timers.idle.set(p.at + 3_600_000);
 *   },
 *   onEventTime: { idle(_at, ctx) { ctx.emit({ card: ctx.key }); } },
 * }))
 */
export function keyedProcess<
  T,
  K,
  O,
  R = undefined,
  S extends StateDeclarations = Record<never, never>,
  Side extends SideDeclarations = Record<never, never>,
  E extends string = never,
  P extends string = never,
>(
  id: string,
  spec: KeyedProcessSpec<T, K, O, S, Side, E, P, R>,
): (
  input: KeyedStream<T, K>,
) => StreamWithSides<O, SideTypes<Side> & { readonly deadLetters: DeadLetter<T> }> {
  return (input) => {
    const functions = processFunctionsOf(spec, [spec.process]);
    const ref = addProcess(id, 'keyedProcess', true, functions, [outputOf(input)]);
    return streamWithSidesOf(ref, [...Object.keys(spec.side ?? {}), 'deadLetters'] as never);
  };
}
