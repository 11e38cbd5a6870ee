import type { KeyedStream, StateDescriptor } from '@millrace/core/spi';
import {
  type ConnectSpec,
  connect,
  type KeyedProcessContext,
  type TypeWitness,
  valueState,
} from '@millrace/operators';

type States = Readonly<Record<string, StateDescriptor>>;
type Sides = Readonly<Record<string, TypeWitness<unknown>>>;

/** A record that waits for its time; `input` as `connect` counts them. */
interface Held {
  readonly atMs: number;
  readonly input: 'left' | 'right';
  readonly value: unknown;
}

/**
 * `connect`, with the records of each key handed over in order of event time, whatever order they
 * arrive in: of the same millisecond the right ones first, then the left ones as they arrived.
 *
 * Records are held until the watermark has passed them, so what is held of a key is bounded by how
 * far the inputs run ahead of it. A late record is handed over at the next watermark.
 *
 * @param id binds the state
 */
export function inEventTimeOrder<L, Q, K, O, S extends States, Side extends Sides>(
  id: string,
  right: KeyedStream<Q, NoInfer<K>>,
  spec: ConnectSpec<L, Q, K, O, S, Side, never, never, undefined>,
) {
  type Own = Parameters<typeof spec.processLeft>[1];
  const held = valueState<readonly Held[]>();
  return connect<L, Q, K, O, undefined, HeldState, Side, 'turn'>(id, right, {
    output: spec.output,
    side: spec.side,
    state: { ...spec.state, held },
    onError: spec.onError,
    parallelism: spec.parallelism,
    processLeft: (value, context) => hold('left', value, context),
    processRight: (value, context) => hold('right', value, context),
    onEventTime: {
      turn(atMs, context) {
        const waiting = context.state.held.get() ?? [];
        const own = context as unknown as Own;
        if (waiting.length === 1) context.state.held.clear();
        else context.state.held.set(waiting.filter((one) => one.atMs !== atMs));
        for (const one of waiting) {
          if (one.atMs === atMs && one.input === 'right') spec.processRight(one.value as Q, own);
        }
        for (const one of waiting) {
          if (one.atMs === atMs && one.input === 'left') spec.processLeft(one.value as L, own);
        }
      },
    },
  });
}

type HeldState = { readonly held: ReturnType<typeof valueState<readonly Held[]>> };

type Holding = Pick<
  KeyedProcessContext<unknown, unknown, HeldState, object, 'turn', undefined>,
  'timestamp' | 'state' | 'timers'
>;

function hold(input: Held['input'], value: unknown, { timestamp, state, timers }: Holding): void {
  const one: Held = { atMs: timestamp, input, value };
  const waiting = state.held.get();
  state.held.set(waiting === undefined ? [one] : [...waiting, one]);
  timers.turn.set(timestamp);
}
