import { csvSource, fromArray } from '@millrace/connectors';
import {
  type DeadLetter,
  type Duration,
  defineJob,
  type KeyedStream,
  type Stream,
} from '@millrace/core';
import {
  aggregate,
  average,
  collect,
  count,
  filter,
  flatMap,
  keyBy,
  map,
  maxBy,
  reduce,
  session,
  sum,
  union,
  window,
  windowProcess,
} from '@millrace/operators';
import { expectTypeOf, test } from 'vitest';

interface Bid {
  readonly kind: 'bid';
  readonly price: number;
  readonly bidder: number;
}
interface Person {
  readonly kind: 'person';
  readonly name: string;
}
const events = fromArray<Bid | Person>([]);

test('a param that is a duration is one in the build, and may be overridden by another', () => {
  const job = defineJob(
    'durations',
    { gap: '5m', label: '5 metres' },
    (builder, { gap, label }) => {
      expectTypeOf(gap).toExtend<Duration>();
      expectTypeOf(gap).toExtend<string>();
      expectTypeOf(label).toEqualTypeOf<string>();
      builder.source('events', events).pipe(
        keyBy((e) => e.kind),
        window('w', session(gap)),
      );
    },
  );
  expectTypeOf(job.build).toBeCallableWith({ gap: '1h' });
  // @ts-expect-error: no unit of time
  job.build({ gap: '5 metres' });
});

test('types carry from source to sink without annotation', () => {
  defineJob('types', { min: 5, label: 'x' }, (job, params) => {
    expectTypeOf(params).toEqualTypeOf<{ readonly min: number; readonly label: string }>();
    const source = job.source('events', events);
    expectTypeOf(source.side.deadLetters).toEqualTypeOf<Stream<DeadLetter<Bid | Person>>>();

    const bids = source.pipe(filter((e) => e.kind === 'bid'));
    expectTypeOf(bids).toEqualTypeOf<Stream<Bid>>();

    const keyed = bids.pipe(keyBy((b) => b.bidder));
    expectTypeOf(keyed).toEqualTypeOf<KeyedStream<Bid, number>>();
    const tupled = bids.pipe(keyBy((b) => [b.bidder, 'x']));
    expectTypeOf(tupled).toEqualTypeOf<KeyedStream<Bid, readonly [number, 'x']>>();

    keyed.pipe(
      window('w', session('10s')),
      aggregate({
        n: count(),
        total: sum((b) => b.price),
        mean: average((b) => b.price),
        best: maxBy((b) => b.price),
        all: maxBy((b) => b.price, { ties: 'all' }),
        prices: collect((b) => b.price),
      }),
      map((r) => {
        expectTypeOf(r.n).toEqualTypeOf<number>();
        expectTypeOf(r.best).toEqualTypeOf<Bid>();
        expectTypeOf(r.all).toEqualTypeOf<readonly Bid[]>();
        expectTypeOf(r.prices).toEqualTypeOf<readonly number[]>();
        expectTypeOf(r.key).toEqualTypeOf<number>();
        expectTypeOf(r.window.end).toEqualTypeOf<number>();
        expectTypeOf(r.pane.timing).toEqualTypeOf<'onTime' | 'late'>();
        return r.total;
      }),
    );
    const reduced = keyed.pipe(
      window('r', session('10s')),
      reduce((a, b) => (a.price > b.price ? a : b)),
    );
    reduced.pipe(map((r) => expectTypeOf(r.value).toEqualTypeOf<Bid>()));
    expectTypeOf(reduced.side.late).toEqualTypeOf<Stream<Bid>>();
    keyed.pipe(
      window('p', session('10s')),
      windowProcess((all, info) => [{ first: all[0], who: info.key }]),
      map((r) => expectTypeOf(r.first).toEqualTypeOf<Bid | undefined>()),
    );
    const names = source.pipe(flatMap((e) => (e.kind === 'person' ? [e.name] : [])));
    expectTypeOf(names).toEqualTypeOf<Stream<string>>();
    expectTypeOf(names.pipe(union(bids))).toEqualTypeOf<Stream<string | Bid>>();
    // A model made once for each subtask.
    bids.pipe(
      map((b, ctx) => ctx.resource.score(b.price), { setup: () => ({ score: (n: number) => n }) }),
      map((n) => expectTypeOf(n).toEqualTypeOf<number>()),
    );
    const rows = job.source(
      'rows',
      csvSource({ path: 'x.csv', columns: { at: 'integer', who: 'string' } }),
    );
    rows.pipe(
      map((r) => {
        expectTypeOf(r.at).toEqualTypeOf<number>();
        expectTypeOf(r.who).toEqualTypeOf<string>();
      }),
    );
  });
});
