import {
  type DeadLetter,
  outputOf,
  type Stream,
  type StreamWithSides,
  streamWithSidesOf,
} from '@millrace/core/spi';
import { addProcess, processFunctionsOf } from './process-node.js';
import type {
  OperatorProcessContext,
  OperatorStateDeclarations,
  ProcessDeclarations,
  SideDeclarations,
  SideTypes,
} from './process-types.js';

/** The parts of a process function without a key: its state is the subtask's, it has no timers. */
export interface ProcessSpec<
  T,
  O,
  Side extends SideDeclarations,
  R,
  S extends OperatorStateDeclarations = Record<never, never>,
> extends ProcessDeclarations<O, Side, R> {
  /** Lists of each subtask, by name. */
  readonly state?: S | undefined;
  /** Called for each record. */
  process(value: T, context: OperatorProcessContext<O, S, SideTypes<Side>, R>): void;
}

/**
 * Any output for each record, to the main output and to side outputs.
 *
 * @param id binds the state
 * @example events.pipe(process('split', {
 *   output: type<Bid>(),
 *   side: { people: type<Person>() },
 *   process(e, ctx) { if (e.kind === 'bid') ctx.emit(e); else ctx.side.people(e); },
 * }))
 */
export function process<
  T,
  O,
  R = undefined,
  Side extends SideDeclarations = Record<never, never>,
  S extends OperatorStateDeclarations = Record<never, never>,
>(
  id: string,
  spec: ProcessSpec<T, O, Side, R, S>,
): (
  input: Stream<T>,
) => StreamWithSides<O, SideTypes<Side> & { readonly deadLetters: DeadLetter<T> }> {
  return (input) => {
    const functions = processFunctionsOf(spec, [spec.process]);
    const ref = addProcess(id, 'process', false, functions, [outputOf(input)]);
    return streamWithSidesOf(ref, [...Object.keys(spec.side ?? {}), 'deadLetters'] as never);
  };
}
