import { type LogicalNode, MillraceError } from '@millrace/core';
import type {
  FunctionLifecycle,
  OnError,
  OperatorFactory,
  OutputRef,
  StateDescriptor,
} from '@millrace/core/spi';
import { refuseAsync } from '../refuse-async.js';
import { ProcessOperator } from './process-operator.js';

type TimerHandler = (atMs: number, context: unknown) => void;

/** A process function as its operator takes it, whatever its kind. */
export interface ProcessFunctions extends FunctionLifecycle<unknown> {
  /** By input. */
  readonly process: readonly ((value: unknown, context: unknown) => void)[];
  readonly state?: Readonly<Record<string, StateDescriptor>> | undefined;
  /** Of the updates, which are the second input. */
  readonly broadcast?: Readonly<Record<string, StateDescriptor>> | undefined;
  readonly side?: Readonly<Record<string, unknown>> | undefined;
  readonly onEventTime?: Readonly<Record<string, TimerHandler>> | undefined;
  readonly onProcessingTime?: Readonly<Record<string, TimerHandler>> | undefined;
  readonly onError?: OnError | undefined;
  readonly parallelism?: number | undefined;
}

type Declared = Omit<ProcessFunctions, 'process'>;

/**
 * The parts of an author's spec, taken by name: of one that is an instance of a class, a copy of its
 * own properties would have none of its methods.
 */
export function processFunctionsOf(
  spec: object,
  process: readonly ((value: never, context: never) => void)[],
): ProcessFunctions {
  const declared = spec as Declared;
  const { state, broadcast, side, onEventTime, onProcessingTime, onError, parallelism } = declared;
  return {
    process: process.map((fn) => fn.bind(spec)) as unknown as ProcessFunctions['process'],
    state,
    broadcast,
    side,
    onEventTime,
    onProcessingTime,
    onError,
    parallelism,
    setup: declared.setup?.bind(spec),
    teardown: declared.teardown?.bind(spec),
  };
}

/** Adds the node of a process function. */
export function addProcess(
  id: string,
  operator: string,
  keyed: boolean,
  functions: ProcessFunctions,
  inputs: readonly OutputRef[],
): OutputRef {
  refuseAsyncFunctions(id, functions);
  refuseNames(id, functions);
  const definition: OperatorFactory = {
    form: 'factory',
    fuses: keyed && inputs.length === 1,
    create: (context) => new ProcessOperator(functions, keyed, context),
  };
  const oneInput = keyed ? 'keyedOneInput' : 'oneInput';
  const twoInput = keyed ? 'keyedTwoInput' : 'twoInput';
  return inputs[0]!.builder.add({
    id,
    kind: inputs.length === 1 ? oneInput : twoInput,
    operator,
    definition,
    inputs: inputs.map((from) => ({ from })),
    state: stateOf(id, functions),
    timers: {
      event: Object.keys(functions.onEventTime ?? {}),
      processing: Object.keys(functions.onProcessingTime ?? {}),
    },
    // Its handle has dead letters whatever the policy: without one for them, there are none.
    sides: [...Object.keys(functions.side ?? {}), 'deadLetters'],
    onError: functions.onError,
    parallelism: functions.parallelism,
  });
}

/** Behind an `await` the context would be that of another record, and of another key. */
function refuseAsyncFunctions(
  operator: string,
  { process, onEventTime, onProcessingTime }: ProcessFunctions,
): void {
  const handlers = Object.values({ ...onEventTime, ...onProcessingTime });
  const detail = 'process functions and handlers of timers must not be async';
  refuseAsync(operator, [...process, ...handlers], detail);
}

/** Timers and outputs go by name: of two that share one, only one would ever be used. */
function refuseNames(
  operator: string,
  { onEventTime = {}, onProcessingTime = {}, side = {} }: ProcessFunctions,
): void {
  const both = Object.keys(onProcessingTime).find((name) => Object.hasOwn(onEventTime, name));
  if (both !== undefined) {
    const detail = `'${both}' is a timer of event time and one of processing time`;
    const field = `onProcessingTime.${both}`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { operator, field });
  }
  const taken = ['', 'deadLetters'].find((name) => Object.hasOwn(side, name));
  if (taken !== undefined) {
    const detail = `a side output cannot be '${taken}', which is an output of the engine's`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { operator, field: `side.${taken}` });
  }
}

/** The parts of declared states that are data. */
function stateOf(
  operator: string,
  { state = {}, broadcast = {} }: ProcessFunctions,
): LogicalNode['state'] {
  const both = Object.keys(state).find((name) => Object.hasOwn(broadcast, name));
  if (both !== undefined) {
    const detail = `'${both}' is declared as state and as broadcast state`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { operator, field: `broadcast.${both}` });
  }
  const reserved = Object.keys({ ...state, ...broadcast }).find((name) => /^timers\./.test(name));
  if (reserved !== undefined) {
    const detail = `'${reserved}' could be the name of a timer's state, which begins with 'timers.'`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { operator, field: `state.${reserved}` });
  }
  return Object.fromEntries(
    Object.entries({ ...state, ...broadcast }).map(
      ([name, { kind, version, ttl, redistribute }]) => [
        name,
        { kind, version, ...(ttl && { ttl }), ...(redistribute && { redistribute }) },
      ],
    ),
  );
}
