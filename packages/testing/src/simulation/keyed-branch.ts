import type { Key, Stream } from '@millrace/core';
import type { KeyedStream, Sink } from '@millrace/core/spi';
import {
  aggregate,
  collect,
  connect,
  count,
  keyBy,
  keyedProcess,
  listState,
  map,
  mapState,
  max,
  min,
  session,
  sinkTo,
  sliding,
  sum,
  tumbling,
  type,
  valueState,
  type WindowAssigner,
  type WindowInfo,
  window,
} from '@millrace/operators';
import { idOf, sinkId } from './build-job.js';
import { addDeadLetters, refuseAt, toDeadLetters } from './dead-letters.js';
import type { BranchPlan, KeyedPlan, KeyPlan, SimulatedRecord, WindowPlan } from './job-plan.js';

type Keyed = KeyedStream<SimulatedRecord, Key>;
type PlanOf<K extends KeyedPlan['kind']> = KeyedPlan & { readonly kind: K };

/** Amounts above this go to a side output, too. */
const bigAmount = 900;

/**
 * Adds what a branch does by key, and its sinks.
 *
 * @param other the second input of `connect`
 */
export function addKeyed(
  stream: Stream<SimulatedRecord>,
  other: Stream<SimulatedRecord>,
  branch: BranchPlan,
  sink: Sink<unknown>,
): void {
  const output = withKeyed(stream, other, branch, sink);
  if (branch.refuses !== undefined) addDeadLetters(output, branch, sink);
}

/** What it returns has the dead letters of the operator with keys. */
function withKeyed(
  stream: Stream<SimulatedRecord>,
  other: Stream<SimulatedRecord>,
  branch: BranchPlan,
  sink: Sink<unknown>,
): Stream<unknown> {
  const { keyed } = branch;
  const keyOf = keyFunctions[branch.key];
  const withKey = keyBy<SimulatedRecord, Key>((r) => keyOf(refuseAt('key', r, branch)));
  const toMain = (output: Stream<unknown>): Stream<unknown> => {
    output.pipe(sinkTo(sinkId(branch, 'main'), sink));
    return output;
  };
  switch (keyed.kind) {
    case 'none':
      return toMain(stream.pipe(map(recordRow, { id: `${branch.id}-row` })));
    case 'window':
      return addWindow(stream.pipe(withKey), branch, keyed, sink);
    case 'process':
      return addProcess(stream.pipe(withKey), branch, keyed, sink);
    case 'running':
      return toMain(addRunning(stream.pipe(withKey), branch));
    case 'byClock':
      return toMain(addByClock(stream.pipe(withKey), branch, keyed));
    case 'connect': {
      const right = other.pipe(keyBy<SimulatedRecord, Key>(keyOf));
      return toMain(addConnect(stream.pipe(withKey), right, branch, keyed));
    }
  }
}

/** The policy of an operator that refuses records. */
const policyOf = ({ refuses }: BranchPlan) =>
  refuses === undefined ? {} : { onError: toDeadLetters };

const keyFunctions: Readonly<Record<KeyPlan, (record: SimulatedRecord) => Key>> = {
  number: ({ key }) => key,
  string: ({ key }) => `key ${key}`,
  tuple: ({ key }) => [key % 3, `k${key}`],
};

const recordRow = (r: SimulatedRecord) => ({ ids: [idOf(r)], key: r.key, amount: r.amount });

function assignerOf(plan: WindowPlan): WindowAssigner {
  switch (plan.kind) {
    case 'tumbling':
      return tumbling(plan.sizeMs);
    case 'sliding':
      return sliding(plan.sizeMs, plan.slideMs);
    case 'session':
      return session(plan.gapMs);
  }
}

interface WindowRow extends WindowInfo<Key> {
  readonly n: number;
  readonly total: number;
  readonly low: number;
  readonly high: number;
  readonly ids: readonly string[];
}

/** How records come together must not show. */
const windowRow = (row: WindowRow): WindowRow => ({ ...row, ids: [...row.ids].sort() });

function addWindow(
  input: Keyed,
  branch: BranchPlan,
  { window: plan, latenessMs, again }: PlanOf<'window'>,
  sink: Sink<unknown>,
): Stream<unknown> {
  const options = { allowedLateness: latenessMs, ...policyOf(branch) };
  const windowed = input.pipe(
    window(`${branch.id}-window`, assignerOf(plan), options),
    aggregate({
      n: count(),
      total: sum((r: SimulatedRecord) => refuseAt('operator', r, branch).amount),
      low: min((r: SimulatedRecord) => r.amount),
      high: max((r: SimulatedRecord) => r.amount),
      ids: collect((r: SimulatedRecord) => idOf(r)),
    }),
  );
  windowed.side.late.pipe(
    map(recordRow, { id: `${branch.id}-late-row` }),
    sinkTo(sinkId(branch, 'late'), sink),
  );
  const rows = (windowed as Stream<WindowRow>).pipe(map(windowRow, { id: `${branch.id}-row` }));
  rows.pipe(sinkTo<unknown>(sinkId(branch, 'main'), sink));
  if (again === 'no') return windowed;
  rows.pipe(
    keyBy((row) => row.key),
    window(`${branch.id}-again`, tumbling(700)),
    aggregate({
      n: sum((row: WindowRow) => row.n),
      panes: count(),
    }),
    sinkTo<unknown>(sinkId(branch, 'side'), sink),
  );
  return windowed;
}

interface BucketRow {
  readonly key: Key;
  readonly bucket: number;
  readonly total: number;
  readonly ids: readonly string[];
}

type BucketedId = readonly [bucket: number, id: string];

function addProcess(
  input: Keyed,
  branch: BranchPlan,
  { bucketMs }: PlanOf<'process'>,
  sink: Sink<unknown>,
): Stream<unknown> {
  const output = input.pipe(
    keyedProcess(`${branch.id}-process`, {
      ...policyOf(branch),
      output: type<BucketRow>(),
      side: { big: type<{ readonly ids: readonly string[] }>() },
      state: {
        buckets: valueState<number>(),
        totals: mapState<number, number>(),
        ids: listState<BucketedId>(),
      },
      process(r: SimulatedRecord, ctx) {
        const bucket = Math.floor(r.at / bucketMs);
        const { buckets, totals, ids } = ctx.state;
        if (!totals.has(bucket)) buckets.set((buckets.get() ?? 0) + 1);
        totals.set(bucket, (totals.get(bucket) ?? 0) + r.amount);
        ids.add([bucket, idOf(r)]);
        ctx.timers.close.set((bucket + 1) * bucketMs);
        if (r.amount > bigAmount) ctx.side.big({ ids: [idOf(r)] });
        refuseAt('operator', r, branch);
      },
      onEventTime: {
        close(atMs, ctx) {
          const bucket = atMs / bucketMs - 1;
          const { buckets, totals, ids } = ctx.state;
          const own = ids.get().filter(([of]) => of === bucket);
          const total = totals.get(bucket)!;
          ctx.emit({ key: ctx.key, bucket, total, ids: own.map(([, id]) => id).sort() });
          ids.set(ids.get().filter(([of]) => of !== bucket));
          totals.delete(bucket);
          if (buckets.get() === 1) buckets.clear();
          else buckets.set(buckets.get()! - 1);
        },
      },
    }),
  );
  output.pipe(sinkTo<unknown>(sinkId(branch, 'main'), sink));
  output.side.big.pipe(sinkTo<unknown>(sinkId(branch, 'side'), sink));
  return output;
}

function addRunning(input: Keyed, branch: BranchPlan): Stream<unknown> {
  return input.pipe(
    keyedProcess(`${branch.id}-running`, {
      ...policyOf(branch),
      output: type<{ key: Key; ids: readonly string[]; total: number }>(),
      state: { total: valueState<number>() },
      process(r: SimulatedRecord, ctx) {
        const total = (ctx.state.total.get() ?? 0) + r.amount;
        ctx.state.total.set(total);
        ctx.emit({ key: ctx.key, ids: [idOf(r)], total });
        refuseAt('operator', r, branch);
      },
    }),
  );
}

/** Event time's end gives out what the clock has not. */
const endOfTimeMs = Date.UTC(2200, 0, 1);

function addByClock(
  input: Keyed,
  branch: BranchPlan,
  { delayMs }: PlanOf<'byClock'>,
): Stream<unknown> {
  return input.pipe(
    keyedProcess(`${branch.id}-by-clock`, {
      ...policyOf(branch),
      output: type<{ key: Key; ids: readonly string[] }>(),
      state: { ids: listState<string>() },
      process(r: SimulatedRecord, ctx) {
        if (ctx.state.ids.get().length === 0) ctx.timers.give.set(ctx.processingTime + delayMs);
        ctx.state.ids.add(idOf(r));
        ctx.timers.end.set(endOfTimeMs);
        refuseAt('operator', r, branch);
      },
      onProcessingTime: {
        give(_at, ctx) {
          ctx.emit({ key: ctx.key, ids: [...ctx.state.ids.get()] });
          ctx.state.ids.clear();
        },
      },
      onEventTime: {
        end(_at, ctx) {
          const ids = [...ctx.state.ids.get()];
          ctx.state.ids.clear();
          if (ids.length > 0) ctx.emit({ key: ctx.key, ids });
        },
      },
    }),
  );
}

function addConnect(
  left: Keyed,
  right: Keyed,
  branch: BranchPlan,
  { bucketMs }: PlanOf<'connect'>,
): Stream<unknown> {
  return left.pipe(
    connect(`${branch.id}-connect`, right, {
      ...policyOf(branch),
      output: type<{ key: Key; bucket: number; left: readonly string[]; right: number }>(),
      state: { left: mapState<string, number>(), right: mapState<string, number>() },
      processLeft(r: SimulatedRecord, ctx) {
        ctx.state.left.set(idOf(r), Math.floor(r.at / bucketMs));
        ctx.timers.close.set((Math.floor(r.at / bucketMs) + 1) * bucketMs);
        refuseAt('operator', r, branch);
      },
      processRight(r: SimulatedRecord, ctx) {
        ctx.state.right.set(idOf(r), Math.floor(r.at / bucketMs));
        ctx.timers.close.set((Math.floor(r.at / bucketMs) + 1) * bucketMs);
      },
      onEventTime: {
        close(atMs, ctx) {
          const bucket = atMs / bucketMs - 1;
          const take = (side: 'left' | 'right'): string[] => {
            const own = [...ctx.state[side].entries()].filter(([, of]) => of === bucket);
            for (const [id] of own) ctx.state[side].delete(id);
            return own.map(([id]) => id).sort();
          };
          const ids = take('left');
          const others = take('right');
          ctx.emit({ key: ctx.key, bucket, left: ids, right: others.length });
        },
      },
    }),
  );
}
