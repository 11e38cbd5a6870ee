import { csvSink, generator } from '@millrace/connectors';
import { type BuiltJob, defineJob, watermarks } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import {
  aggregate,
  count,
  keyBy,
  keyedProcess,
  mapState,
  sinkTo,
  sliding,
  sum,
  type,
  valueState,
  window,
} from '@millrace/operators';

interface Payment {
  readonly id: number;
  readonly card: number;
  readonly amount: number;
  readonly at: number;
}

/** So long that the first segment counts for more than what a chain's shortest one does. */
const labelChars = 400;

const startMs = Date.UTC(2020, 0, 1);
/** Of the input; the job takes so many milliseconds of virtual time for it. */
export const inputMs = 800;
const perSecond = 2_000;

const payments = generator<Payment>({
  seed: 3,
  count: (inputMs / 1_000) * perSecond,
  ratePerSecond: perSecond,
  create: (id, random) => ({
    id,
    // Few of the cards are in use at any time, so that chains of segments become long.
    card: id % 3 === 0 ? Math.floor(random.next() * 600) : Math.floor(random.next() * 6),
    amount: Math.round(random.next() * 1_000),
    at: startMs + id * 5 - Math.floor(random.next() * 900),
  }),
});

/** Windows, timers, values and maps, into two sinks. */
export function paymentsJob(name: string, sinkNamed: SinkNamed): BuiltJob {
  const definition = defineJob(name, {}, (job) => {
    const cards = job
      .source(
        'payments',
        payments,
        watermarks((p) => p.at, { outOfOrderness: '1s', farFuture: 'off' }),
      )
      .pipe(keyBy((p) => p.card));
    cards.pipe(
      window('spend', sliding('2s', '1s')),
      aggregate({ n: count(), spent: sum((p) => p.amount) }),
      sinkTo('windows', sinkNamed('windows', ['key', 'n', 'spent'])),
    );
    cards.pipe(
      keyedProcess('watch', {
        output: type<{ card: number; id: number; sum: number; seen: number }>(),
        state: {
          total: valueState<number>(),
          amounts: mapState<number, number>(),
          label: valueState<string>(),
        },
        process(p, ctx) {
          ctx.state.total.set((ctx.state.total.get() ?? 0) + p.amount);
          ctx.state.amounts.set(p.amount % 7, p.id);
          ctx.state.label.set(`card ${p.card} `.padEnd(labelChars, '.'));
          ctx.timers.rest.clear();
          ctx.timers.rest.set(p.at + 150);
        },
        onEventTime: {
          rest(at, ctx) {
            const seen = [...ctx.state.amounts.entries()].reduce((all, [k, v]) => all + k * v, 0);
            ctx.emit({ card: ctx.key, id: at, sum: ctx.state.total.get()!, seen });
            ctx.state.amounts.delete(3);
          },
        },
      }),
      sinkTo('rests', sinkNamed('rests', ['card', 'id', 'sum', 'seen'])),
    );
  });
  return definition.build();
}

/** Makes the sink of a name. */
type SinkNamed = <T extends object>(
  name: string,
  columns: readonly (keyof T & string)[],
) => Sink<T>;

/** Files that a commit publishes: nobody goes back behind that unasked. */
export function csvSinks(folder: string): SinkNamed {
  return (name, columns) => csvSink({ path: `${folder}/${name}.csv`, columns });
}

/** Rows that may be written again, so that going back is allowed. */
export function tableSinks(table: Set<string>): SinkNamed {
  return (name) => ({
    type: 'table',
    guarantee: 'effectively-once',
    createWriter: () => ({
      write({ values, count }) {
        for (let i = 0; i < count; i += 1) table.add(`${name}: ${JSON.stringify(values[i])}`);
        return undefined;
      },
    }),
  });
}
