import { csvSink, generator } from '@millrace/connectors';
import {
  defineJob,
  type JobBuilder,
  type JobDefinition,
  type Stream,
  watermarks,
} from '@millrace/core';
import {
  aggregate,
  count,
  filter,
  flatMap,
  global,
  keyBy,
  keyedProcess,
  map,
  max,
  partitionBy,
  rebalance,
  rescale,
  session,
  sinkTo,
  sliding,
  sum,
  tumbling,
  type,
  union,
  valueState,
  window,
} from '@millrace/operators';

interface Sale {
  readonly id: number;
  readonly shop: string;
  readonly amount: number;
  readonly at: number;
}

const startMs = Date.UTC(2020, 0, 1);

/** Sales of 60 shops over several splits, with some disorder; the same ones each time. */
const sales = (total: number, splits: number, ratePerSecond: number | undefined) =>
  generator<Sale>({
    seed: 5,
    count: total,
    splits,
    ratePerSecond,
    create: (id, random) => ({
      id,
      shop: `shop-${Math.floor(random.next() ** 2 * 60)}`,
      amount: Math.round(random.next() * 1_000),
      at: startMs + id * 5 - Math.floor(random.next() * 900),
    }),
  });

export interface SalesOptions {
  readonly total: number;
  /** Records a second in all; undefined: as fast as they are taken. */
  readonly rate?: number | undefined;
  /** Subtasks by operator. */
  readonly parallelism?: Readonly<Record<string, number>> | undefined;
}

/**
 * A job whose results do not depend on the order in which records of different splits meet, with
 * every way in which records change places.
 */
export function salesJob(folder: string, options: SalesOptions): JobDefinition {
  const { total, rate, parallelism = {} } = options;
  const of = (id: string) => ({ parallelism: parallelism[id] });
  const out = (id: string, columns: readonly string[]) =>
    sinkTo<object>(id, csvSink({ path: `${folder}/${id}-{subtask}.csv`, columns }), of(id));
  return defineJob('sales', {}, (job: JobBuilder) => {
    const all = job.source(
      'sales',
      sales(total, 4, rate),
      watermarks((s) => s.at, { outOfOrderness: '1s', farFuture: 'off' }),
      of('sales'),
    );
    const shops = all.pipe(
      filter((s) => s.amount > 50),
      keyBy((s) => s.shop),
    );
    const spend = shops.pipe(
      window('spend', sliding('4s', '1s'), of('spend')),
      aggregate({ n: count(), spent: sum((s) => s.amount) }),
    );
    spend.pipe(
      map(({ key, n, spent, window: { end } }) => ({ key, n, spent, end })),
      out('windows', ['key', 'n', 'spent', 'end']),
    );
    spend.pipe(
      keyBy((s) => s.n % 5),
      window('again', tumbling('2s'), of('again')),
      aggregate({ most: max((s) => s.spent), n: count() }),
      map(({ key, n, most, window: { end } }) => ({ key, n, most, end })),
      out('levels', ['key', 'n', 'most', 'end']),
    );
    shops.pipe(
      window('bursts', session('400ms'), of('bursts')),
      aggregate({ n: count() }),
      map(({ key, n, window: { start, end } }) => ({ key, n, start, end })),
      out('sessions', ['key', 'n', 'start', 'end']),
    );
    shops.pipe(
      keyedProcess('seconds', {
        output: type<{ shop: string; at: number; sum: number }>(),
        state: { sums: valueState<number>() },
        process(s, ctx) {
          ctx.state.sums.set((ctx.state.sums.get() ?? 0) + s.amount);
          ctx.timers.full.set(Math.ceil((s.at + 1) / 10_000) * 10_000);
        },
        onEventTime: {
          // What is there at the end of input is the same whatever came first.
          full(at, ctx) {
            if (at < startMs + total * 5 - 20_000) return;
            ctx.emit({ shop: ctx.key, at, sum: ctx.state.sums.get()! });
          },
        },
        ...of('seconds'),
      }),
      filter(({ at }) => at > startMs + total * 5 - 1_000),
      out('sums', ['shop', 'at', 'sum']),
    );
    moving(all, out);
  });
}

/** The same records over edges of every kind. */
function moving(
  sales: Stream<Sale>,
  out: (id: string, columns: readonly string[]) => (s: Stream<object>) => unknown,
): void {
  const copy = (by: string) => map((s: Sale) => ({ id: s.id, by }));
  sales.pipe(rebalance(), copy('rebalance')).pipe(
    union(sales.pipe(rescale(), copy('rescale'))),
    union(sales.pipe(global(), copy('global'))),
    union(
      sales.pipe(
        partitionBy((s, parallelism) => s.id % parallelism),
        copy('custom'),
      ),
    ),
    union(
      sales.pipe(
        keyBy((s) => s.shop),
        flatMap((s) => [{ id: s.id, by: 'keyed' }]),
      ),
    ),
    out('moved', ['id', 'by']),
  );
}
