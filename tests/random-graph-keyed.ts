import type { Key, Stream } from '@millrace/core';
import {
  aggregate,
  broadcastState,
  collect,
  connect,
  connectBroadcast,
  count,
  keyBy,
  keyedConnectBroadcast,
  keyedProcess,
  map,
  mapState,
  max,
  min,
  session,
  sliding,
  sum,
  tumbling,
  type,
  type WindowInfo,
  window,
} from '@millrace/operators';
import {
  actionOf,
  hashOf,
  keyed,
  keyFunctions,
  mix,
  moved,
  plus,
  policyOf,
  refuse,
} from './random-graph-edges.js';
import type { GraphBuilder } from './random-graph-job.js';
import type { Item, StepPlan } from './random-graph-plan.js';

interface Sized {
  readonly stream: Stream<Item>;
  readonly rows: number;
}

/** What a stateful operator is made of. */
interface Place {
  readonly graph: GraphBuilder;
  readonly step: StepPlan;
  readonly id: string;
  readonly rows: number;
  /** Throws at what the operator refuses. */
  readonly checked: (item: Item) => Item;
}

/** Adds an operator with state, whose results do not depend on the order of its records. */
export function addStateful(
  graph: GraphBuilder,
  step: StepPlan,
  id: string,
  from: Sized,
  other: Sized | undefined,
): Stream<Item> {
  const checked = step.refuses === 'records' ? refuse : (item: Item): Item => item;
  const place = { graph, step, id, rows: from.rows + (other?.rows ?? 0), checked };
  const second = other?.stream ?? from.stream;
  switch (step.kind) {
    case 'window':
      return addWindow(from.stream, place);
    case 'connect':
      return addConnect(from.stream, second, place);
    case 'keyedUpdated':
      return addKeyedUpdated(from.stream, second, place);
    case 'updated':
      return addUpdated(from.stream, second, place);
    default:
      return addKeyedProcess(from.stream, place);
  }
}

const assigners = [
  () => tumbling(50),
  () => sliding(90, 30),
  () => sliding(70, 40),
  () => session(25),
];

interface Row extends WindowInfo<Key> {
  readonly n: number;
  readonly sum: number;
  readonly low: number;
  readonly high: number;
  readonly ids?: readonly number[];
}

function rowOf({ key, window: { start, end }, n, sum: total, low, high, ids = [] }: Row): Item {
  const content = [start % 1e6, end % 1e6, n, low, high, ...[...ids].sort((a, b) => a - b)];
  return { id: content.reduce(mix, hashOf(key)), value: total, at: end - 1 };
}

function addWindow(input: Stream<Item>, { graph, step, id, rows, checked }: Place): Stream<Item> {
  const { form, sides } = step;
  const numbers = {
    n: count(),
    sum: sum((r: Item) => checked(r).value),
    low: min((r: Item) => r.value),
    high: max((r: Item) => r.id),
  };
  const windowed = keyed(input, step).pipe(
    window(id, assigners[form % 4]!(), { ...graph.next(), ...policyOf(step) }),
    form < 6 ? aggregate(numbers) : aggregate({ ...numbers, ids: collect((r: Item) => r.id) }),
  );
  graph.addSide(`${id}-late`, windowed.side.late, 0, sides);
  graph.addDeadOf(windowed as never, step, id, rows);
  return (windowed as Stream<Row>).pipe(map(rowOf, { id: `${id}-row`, ...graph.next() }));
}

const bucketMs = 60;
const bucketOf = ({ at }: Item): number => (Math.floor(at / bucketMs) + 1) * bucketMs;

function addKeyedProcess(input: Stream<Item>, place: Place): Stream<Item> {
  const { graph, step, id, rows, checked } = place;
  const output = keyed(input, step).pipe(
    keyedProcess(id, {
      ...graph.next(),
      ...policyOf(step),
      output: type<Item>(),
      side: { big: type<Item>() },
      state: { sums: mapState<number, number>() },
      process(r: Item, ctx) {
        const end = bucketOf(r);
        ctx.state.sums.set(end, plus(ctx.state.sums.get(end) ?? 0, mix(r.id, r.value)));
        ctx.timers.close.set(end);
        if (r.value > 600) ctx.side.big({ ...r, id: mix(r.id, 1) });
        if (step.form % 2 === 0) ctx.emit({ ...r, id: mix(r.id, 2) });
        checked(r);
      },
      onEventTime: {
        close(at, ctx) {
          const all = ctx.state.sums.get(at)!;
          ctx.state.sums.delete(at);
          ctx.emit({ id: mix(hashOf(ctx.key), all), value: all % 1_000, at });
        },
      },
    }),
  );
  graph.addSide(id, output.side.big, rows, step.sides);
  graph.addDeadOf(output as never, step, id, rows);
  return output;
}

function addConnect(left: Stream<Item>, right: Stream<Item>, place: Place): Stream<Item> {
  const { graph, step, id, rows, checked } = place;
  const rightKeyed =
    step.form % 2 === 0 ? keyed(right, step) : right.pipe(keyBy<Item, Key>(keyFunctions[step.key]));
  const output = keyed(left, step).pipe(
    connect(id, rightKeyed, {
      ...graph.next(),
      ...policyOf(step),
      output: type<Item>(),
      side: { left: type<Item>() },
      state: { left: mapState<number, number>(), right: mapState<number, number>() },
      processLeft(r: Item, ctx) {
        const end = bucketOf(r);
        ctx.state.left.set(end, plus(ctx.state.left.get(end) ?? 0, mix(r.id, r.value)));
        ctx.timers.close.set(end);
        ctx.side.left({ ...r, id: mix(r.id, 3) });
        checked(r);
      },
      processRight(r: Item, ctx) {
        const end = bucketOf(r);
        ctx.state.right.set(end, plus(ctx.state.right.get(end) ?? 0, r.id));
        ctx.timers.close.set(end);
        checked(r);
      },
      onEventTime: {
        close(at, ctx) {
          const { left: ofLeft, right: ofRight } = ctx.state;
          const all = mix(ofLeft.get(at) ?? 1, ofRight.get(at) ?? 2);
          ofLeft.delete(at);
          ofRight.delete(at);
          ctx.emit({ id: mix(hashOf(ctx.key), all), value: all % 1_000, at });
        },
      },
    }),
  );
  graph.addSide(id, output.side.left, rows, step.sides);
  graph.addDeadOf(output as never, step, id, rows);
  return output;
}

/** A record waits for its time, and then sees the updates of before it. */
function addKeyedUpdated(input: Stream<Item>, updates: Stream<Item>, place: Place): Stream<Item> {
  const { graph, step, id, rows, checked } = place;
  const output = keyed(input, step).pipe(
    keyedConnectBroadcast(id, moved(updates, step.otherWay, step.key), {
      ...graph.next(),
      ...policyOf(step),
      output: type<Item>(),
      broadcast: { all: broadcastState<number, number>() },
      state: { sums: mapState<number, number>() },
      process(r: Item, ctx) {
        const end = bucketOf(r);
        ctx.state.sums.set(end, plus(ctx.state.sums.get(end) ?? 0, mix(r.id, r.value)));
        ctx.timers.close.set(end);
        checked(r);
      },
      onEventTime: {
        close(at, ctx) {
          const known = [...ctx.broadcast.all.entries()].filter(([end]) => end <= at);
          const seen = known.reduce((all, [, each]) => plus(all, each), 0);
          const own = ctx.state.sums.get(at)!;
          ctx.state.sums.delete(at);
          ctx.emit({ id: mix(hashOf(ctx.key), mix(own, seen)), value: own % 1_000, at });
        },
      },
      processBroadcast(r: Item, ctx) {
        const end = bucketOf(r);
        ctx.broadcast.all.set(end, plus(ctx.broadcast.all.get(end) ?? 0, mix(r.id, r.value)));
        // Every subtask would have a dead letter.
        if (actionOf(step) === 'skip') checked(r);
      },
    }),
  );
  graph.addDeadOf(output as never, step, id, rows);
  return output;
}

/** Records pass, whatever the updates have left; these are kept and show nowhere. */
function addUpdated(input: Stream<Item>, updates: Stream<Item>, place: Place): Stream<Item> {
  const { graph, step, id, rows, checked } = place;
  const output = moved(input, step.way, step.key).pipe(
    connectBroadcast(id, updates, {
      ...graph.next(step.way),
      ...policyOf(step),
      output: type<Item>(),
      broadcast: { kept: broadcastState<number, number>() },
      process(r: Item, ctx) {
        if (ctx.broadcast.kept.get(-1) === undefined) ctx.emit({ ...checked(r), id: mix(r.id, 4) });
      },
      processBroadcast: (r: Item, ctx) => ctx.broadcast.kept.set(r.id % 10, r.value),
    }),
  );
  graph.addDeadOf(output as never, step, id, rows);
  return output;
}
