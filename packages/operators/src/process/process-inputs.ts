import type {
  BroadcastState,
  Key,
  KeyedStateAccess,
  OperatorContext,
  OperatorStateAccess,
  StateDescriptor,
  Timer,
} from '@millrace/core/spi';
import type { ProcessFunctions } from './process-node.js';
import { ProcessRecordContext } from './process-record-context.js';
import { ReadOnlyBroadcast } from './read-only-broadcast.js';

/** One input of a process operator. */
export interface ProcessInput {
  readonly fn: (value: unknown, context: unknown) => void;
  readonly context: ProcessRecordContext;
  /** State of the record's key; undefined without one. */
  readonly access: KeyedStateAccess | undefined;
}

/** What is to be told when a record begins that may have to be undone. */
export type Undoable = Pick<OperatorStateAccess, 'begin'>;

export interface ProcessInputs {
  readonly inputs: readonly ProcessInput[];
  /** Of the key; undefined without one. */
  readonly access: KeyedStateAccess | undefined;
  readonly undoable: Undoable | undefined;
}

/** Takes the declared states and makes the inputs of them: what each one's functions are given. */
export function processInputs(
  functions: ProcessFunctions,
  keyed: boolean,
  context: OperatorContext,
): ProcessInputs {
  const { process, state = {} } = functions;
  const time = {
    // The time of a processing timer is none of event time.
    recordMs: () => (main.firing === 'processing' ? main.watermark : main.timestamp),
    watermarkMs: () => Math.min(main.watermark, main.dueMs),
  };
  const access = keyed ? context.keyedState(state, time) : undefined;
  const list = keyed ? undefined : operatorState(state, context);
  const own = access ?? list;
  const shared = operatorState(functions.broadcast ?? {}, context);
  const unkeyed = [list, shared].filter((each) => each !== undefined);
  const sides = Object.keys(functions.side ?? {});
  const main = new ProcessRecordContext(context, sides, {
    state: own?.handles ?? {},
    broadcast: readOnly(shared?.handles ?? {}, context.operatorId),
    timers: timersOf(functions, access),
    unkeyed,
  });
  const inputs = process.map((fn): ProcessInput => ({ fn, context: main, access }));
  if (shared !== undefined) {
    const handles = { state: {}, broadcast: shared.handles, timers: {}, unkeyed };
    const updates = new ProcessRecordContext(context, sides, handles);
    inputs[1] = { fn: process[1]!, context: updates, access: undefined };
  }
  return { inputs, access, undoable: together(own, shared) };
}

function operatorState(
  declared: Readonly<Record<string, StateDescriptor>>,
  context: OperatorContext,
): OperatorStateAccess | undefined {
  return Object.keys(declared).length === 0 ? undefined : context.operatorState(declared);
}

function readOnly(handles: OperatorStateAccess['handles'], operator: string) {
  return Object.fromEntries(
    Object.entries(handles).map(([name, handle]) => [
      name,
      new ReadOnlyBroadcast(handle as BroadcastState<Key, unknown>, operator, name),
    ]),
  );
}

function timersOf(
  { onEventTime = {}, onProcessingTime = {} }: ProcessFunctions,
  access: KeyedStateAccess | undefined,
): Readonly<Record<string, Timer>> {
  if (access === undefined) return {};
  const { eventTimers, processingTimers } = access;
  return Object.fromEntries([
    ...Object.keys(onEventTime).map((name) => [name, eventTimers.handle(name)]),
    ...Object.keys(onProcessingTime).map((name) => [name, processingTimers.handle(name)]),
  ]);
}

/**
 * A rollback is of all states, so each record begins anew in all of them: also in those that only
 * another input changes.
 */
function together(own: Undoable | undefined, shared: Undoable | undefined): Undoable | undefined {
  if (own === undefined || shared === undefined) return own ?? shared;
  return {
    begin() {
      own.begin();
      shared.begin();
    },
  };
}
