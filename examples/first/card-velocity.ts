import { consoleSink, generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import {
  aggregate,
  count,
  distinctCount,
  filter,
  keyBy,
  map,
  sinkTo,
  sliding,
  sum,
  window,
} from '@millrace/operators';

interface Payment {
  readonly card: string;
  readonly merchant: string;
  readonly amount: number;
  readonly at: number;
}

const startMs = Date.UTC(2026, 0, 1);

/** 20,000 payments of 50 cards, one every 300 ms; card 7 goes shopping now and then. */
const payments = generator<Payment>({
  seed: 1,
  count: 20_000,
  create: (index, random) => ({
    card: `card-${index % 2_000 < 60 ? 7 : Math.floor(random.next() * 50)}`,
    merchant: `merchant-${Math.floor(random.next() * 20)}`,
    amount: Math.round(random.next() * 10_000) / 100,
    at: startMs + index * 300,
  }),
});

export default defineJob('card-velocity', { threshold: 50 }, (job, params) => {
  const velocity = job
    .source(
      'payments',
      payments,
      watermarks((p) => p.at, { outOfOrderness: '4s' }),
    )
    .pipe(
      keyBy((p) => p.card),
      window('velocity', sliding('10m', '1m'), { allowedLateness: '1m' }),
      aggregate({
        spend: sum((p) => p.amount),
        n: count(),
        merchants: distinctCount((p) => p.merchant),
      }),
    );

  velocity.pipe(
    filter((v) => v.n > params.threshold),
    map(({ key, n, spend, merchants, window: w }) => {
      const until = new Date(w.end).toISOString();
      return `${key}: ${n} payments, ${spend.toFixed(2)} at ${merchants} merchants until ${until}`;
    }),
    sinkTo('alerts', consoleSink()),
  );
});
