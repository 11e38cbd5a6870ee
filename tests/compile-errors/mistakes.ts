// Each comment `expect:` says what the compiler must say about the line behind it. Checked by
// tests/compile-errors.process.test.ts; not compiled with the rest.
import { collectSink, fromArray } from '@millrace/connectors';
import { defineJob, type KeyedStream, type Stream, watermarks } from '@millrace/core';
import {
  aggregate,
  connect,
  count,
  filter,
  flatMap,
  keyBy,
  keyedProcess,
  map,
  reduce,
  sinkTo,
  sliding,
  sum,
  tumbling,
  type,
  valueState,
  window,
} from '@millrace/operators';

interface Payment {
  readonly card: string;
  readonly merchant: number;
  readonly amount: number;
  readonly at: number;
}
interface Alert {
  readonly rule: string;
}
const payments = fromArray<Payment>([]);

export default defineJob('mistakes', { threshold: 20 }, (job, params) => {
  const stream = job.source(
    'payments',
    payments,
    watermarks((p) => p.at),
  );
  const keyed = stream.pipe(keyBy((p) => p.card));
  const windowed = keyed.pipe(window('fine', tumbling('1m')));

  // expect: keyedStream_putKeyByBefore
  stream.pipe(window('w', tumbling('1m')));
  // expect: keyedStream_putKeyByBefore
  stream.pipe(keyedProcess('p', { output: type<Alert>(), process() {} }));
  keyed.pipe(
    filter((p) => p.amount > 0),
    // expect: keyedStream_putKeyByBefore
    window('w', tumbling('1m')),
  );
  // expect: windowedStream_putWindowBefore
  stream.pipe(aggregate({ n: count() }));
  // expect: stream_makeOneWithJobSource
  windowed.pipe(map((p) => p));
  stream.pipe(
    // expect: this function returns a promise: use asyncMap
    map(async (p) => p.card),
  );
  stream.pipe(
    // expect: this function returns a promise: use asyncMap
    map((p) => (p.amount > 0 ? p.card : Promise.resolve(p.card))),
  );
  stream.pipe(
    // expect: this function returns a promise: use asyncMap
    filter(async (p) => p.amount > 0),
  );
  stream.pipe(
    // expect: a predicate must give a boolean
    filter((p) => p.card),
  );
  stream.pipe(
    // expect: is missing in type 'Promise<Payment[]>'
    flatMap(async (p) => [p]),
  );
  stream.pipe(
    // expect: Property 'amont' does not exist on type 'Payment'
    map((p) => p.amont),
  );
  stream.pipe(
    map((p) => ({ card: p.card })),
    // expect: Property 'amount' does not exist
    filter((p) => p.amount > 0),
  );
  windowed.pipe(
    // expect: the field names key, window and pane are reserved
    aggregate({ key: count() }),
  );
  windowed.pipe(
    // expect: Type 'string' is not assignable to type 'number'
    aggregate({ total: sum((p) => p.card) }),
  );
  windowed.pipe(
    // expect: Type 'string' is not assignable to type 'Payment'
    reduce(() => 'the last one'),
  );
  windowed.pipe(
    aggregate({ total: sum((p) => p.amount) }),
    // expect: Property 'totel' does not exist
    filter((r) => r.totel > 0),
  );
  // expect: is not assignable to parameter of type 'Duration'
  keyed.pipe(window('w', tumbling('1 minute')));
  // expect: is not assignable to parameter of type 'Duration'
  keyed.pipe(window('w', sliding('10m', '1x')));
  // expect: Type '"1min"' is not assignable to type
  keyed.pipe(window('w', tumbling('1m'), { allowedLateness: '1min' }));
  // expect: is not assignable to parameter of type 'string'
  keyed.pipe(window(tumbling('1m'), {}));
  // expect: Expected
  keyed.pipe(window('w'));
  stream.pipe(
    // expect: is not assignable to type 'Key'
    keyBy((p) => ({ card: p.card })),
  );
  stream.pipe(
    map((p) => p.card),
    // expect: is not assignable to parameter
    sinkTo('out', collectSink<number>()),
  );
  // expect: Expected
  stream.pipe(sinkTo('out'));
  // expect: Property 'lat' does not exist
  keyed.pipe(window('w', tumbling('1m')), aggregate({ n: count() })).side.lat;
  keyed.pipe(
    keyedProcess('p', {
      output: type<Alert>(),
      state: { last: valueState<Payment>() },
      process(p, ctx) {
        // expect: Property 'lst' does not exist
        ctx.state.lst.set(p);
        // expect: is not assignable to parameter of type 'Payment'
        ctx.state.last.set(5);
        // expect: is not assignable to type 'string'
        ctx.emit({ rule: 5 });
        // expect: Property 'expire' does not exist
        ctx.timers.expire.set(5);
      },
    }),
  );
  const byMerchant = stream.pipe(keyBy((p) => p.merchant));
  keyed.pipe(
    // expect: is not assignable to parameter of type 'KeyedStream<
    connect('c', byMerchant, { output: type<Alert>(), processLeft() {}, processRight() {} }),
  );
  // expect: Property 'limit' does not exist
  params.limit;
  job.source(
    'late',
    payments,
    // expect: is not assignable to
    watermarks((p) => p.card),
  );
  job.source(
    'late',
    payments,
    // expect: does not exist in type 'BoundedWatermarkOptions'
    watermarks((p) => p.at, { bound: '1s' }),
  );
});

// A composite is a plain function, and keeps its types inside a pipe.
const perKey =
  <T, K>(id: string) =>
  (s: KeyedStream<T, K>) =>
    s.pipe(window(id, sliding('1m', '1m')), aggregate({ n: count() }));
const doubled = (s: Stream<number>): Stream<number> => s.pipe(map((n) => n * 2));
defineJob('composites', {}, (job) => {
  job.source('payments', payments).pipe(
    keyBy((p) => p.card),
    perKey('velocity'),
    map((v) => v.n + v.key.length),
    doubled,
    // expect: Property 'nope' does not exist on type 'number'
    map((n) => n.nope),
  );
});
