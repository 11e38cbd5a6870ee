import { defineJob, watermarks } from '@millrace/core';
import type { DeadLetter, Sink, Source } from '@millrace/core/spi';
import {
  aggregate,
  connect,
  count,
  filter,
  keyBy,
  keyedProcess,
  map,
  mapState,
  sinkTo,
  sliding,
  sum,
  type,
  valueState,
  window,
} from '@millrace/operators';
import { describe, expect, test } from 'vitest';
import { ManualSource } from '../manual-source.js';
import { RecordingSink } from '../recording-sink.js';
import type { SeededRandom } from '../simulation/seeded-random.js';
import { conserved } from './oracles/conserved.js';
import { exactlyOnce, orderIndependent } from './oracles/exactly-once.js';
import { simulate } from './simulate.js';
import { userFaults } from './user-faults.js';

interface Payment {
  readonly id: number;
  readonly card: string;
  readonly at: number;
  readonly amount: number;
}

const startMs = Date.UTC(2026, 0, 1);

const drawPayments = (random: SeededRandom): readonly Payment[] =>
  Array.from({ length: 40 }, (_, id) => ({
    id,
    card: `card-${random.whole(0, 4)}`,
    at: startMs + id * 500 + random.whole(0, 900),
    amount: random.whole(1, 100),
  }));

const payments: readonly Payment[] = Array.from({ length: 40 }, (_, id) => ({
  id,
  card: `card-${id % 7}`,
  at: startMs + id * 500,
  amount: (id * 37) % 101,
}));

const source = <T>(): Source<T> => new ManualSource<T>();
const sink = <T>(): Sink<T> => new RecordingSink<T>();
const times = watermarks((p: Payment) => p.at, { outOfOrderness: '1s' });

const velocity = defineJob('velocity', { threshold: 2 }, (job, { threshold }) => {
  job.source('payments', source<Payment>(), times).pipe(
    keyBy((p) => p.card),
    window('velocity', sliding('10s', '5s')),
    aggregate({ n: count(), spend: sum((p) => p.amount) }),
    filter(({ n }) => n > threshold),
    sinkTo('alerts', sink<unknown>()),
  );
});

const buckets = defineJob('buckets', {}, (job) => {
  job.source('payments', source<Payment>(), times).pipe(
    keyBy((p) => p.card),
    keyedProcess('buckets', {
      output: type<{ readonly card: string; readonly spend: number }>(),
      state: { spend: mapState<number, number>() },
      process(p, ctx) {
        const end = Math.ceil((p.at + 1) / 4_000) * 4_000;
        ctx.state.spend.set(end, (ctx.state.spend.get(end) ?? 0) + p.amount);
        ctx.timers.close.set(end);
      },
      onEventTime: {
        close(end, ctx) {
          ctx.emit({ card: ctx.key, spend: ctx.state.spend.get(end) ?? 0 });
          ctx.state.spend.delete(end);
        },
      },
    }),
    sinkTo('closed', sink<unknown>()),
  );
});

interface Refund {
  readonly id: number;
  readonly card: string;
}

const balances = defineJob('balances', {}, (job) => {
  const refunds = job.source('refunds', source<Refund>()).pipe(keyBy((r) => r.card));
  job.source('payments', source<Payment>()).pipe(
    keyBy((p) => p.card),
    connect('balances', refunds, {
      output: type<{ readonly card: string; readonly n: number }>(),
      state: { n: valueState<number>() },
      processLeft(_p, ctx) {
        ctx.state.n.set((ctx.state.n.get() ?? 0) + 1);
        ctx.timers.end.set(Number.MAX_SAFE_INTEGER);
      },
      processRight(_r, ctx) {
        ctx.state.n.set((ctx.state.n.get() ?? 0) - 1);
        ctx.timers.end.set(Number.MAX_SAFE_INTEGER);
      },
      onEventTime: {
        end: (_atMs, ctx) => ctx.emit({ card: ctx.key, n: ctx.state.n.get() ?? 0 }),
      },
    }),
    sinkTo('final', sink<unknown>()),
  );
});

const screening = defineJob('screening', {}, (job) => {
  const accepted = job.source('payments', source<Payment>(), times).pipe(
    map(
      (p) => {
        if (p.amount > 90) throw new RangeError('too much');
        return { ...p, fee: p.amount / 100 };
      },
      { id: 'fees', onError: { action: 'deadLetter', ceiling: 1 } },
    ),
  );
  accepted.pipe(sinkTo('accepted', sink<unknown>()));
  accepted.side.deadLetters.pipe(sinkTo('refused', sink<DeadLetter<Payment>>()));
});

describe('right jobs stand all faults', () => {
  test('windows', async () => {
    const report = await simulate(velocity, {
      params: { threshold: 1 },
      input: { payments: drawPayments },
      splits: { payments: 2 },
      seeds: 25,
      expect: [exactlyOnce(), orderIndependent()],
    });
    // Two runs to be compared with a third.
    expect(report.runs).toBe(3 * 25);
  });

  test('state and timers', async () => {
    const report = await simulate(buckets, {
      input: { payments },
      splits: { payments: (p) => p.card },
      seeds: 40,
    });
    expect(report.seeds).toBe(40);
    expect(report.records).toBe(41 * payments.length);
    expect(report.starts).toBeGreaterThan(60);
    expect(report.committedCheckpoints).toBeGreaterThan(60);
    expect(Object.keys(report.effectiveFaults).sort()).toEqual([...userFaults].sort());
  });

  test('two inputs', async () => {
    const refunds = payments.filter(({ id }) => id % 3 === 0);
    await simulate(balances, { input: { payments, refunds }, splits: { refunds: 2 }, seeds: 20 });
  });

  test('dead letters', async () => {
    await simulate(screening, {
      input: { payments: drawPayments },
      splits: { payments: 3 },
      seeds: 20,
      expect: [
        exactlyOnce(),
        conserved({
          source: 'payments',
          sinks: ['accepted', 'refused'],
          id: (p: Payment) => p.id,
        }),
        ({ accepted }, input) => {
          const cheap = input.payments.filter(({ amount }) => amount <= 90);
          expect(accepted).toHaveLength(cheap.length);
        },
      ],
    });
  });
});

const withSetup = (setup: () => Promise<number>) =>
  defineJob('with-setup', {}, (job) => {
    job.source('payments', source<Payment>(), times).pipe(
      map((p, { resource }) => ({ id: p.id, fee: resource, day: new Date(p.at) }), { setup }),
      sinkTo('out', sink<unknown>()),
    );
  });

describe('set-up of functions', () => {
  test('may wait for something outside of the simulation', async () => {
    const slow = withSetup(() => new Promise((resolve) => setTimeout(resolve, 10, 7)));
    await simulate(slow, {
      input: { payments },
      seeds: 3,
      expect: [
        exactlyOnce(),
        ({ out }) => expect(out?.[0]).toEqual({ id: 0, fee: 7, day: new Date(startMs) }),
      ],
    });
  });

  test('but not for ever', async () => {
    const stuck = withSetup(() => new Promise(() => undefined));
    await expect(simulate(stuck, { input: { payments }, seeds: 1 })).rejects.toThrow(
      'it waits for something outside of the simulation',
    );
  });
});

test('a job without records comes to its end', async () => {
  const report = await simulate(velocity, { input: { payments: [] }, seeds: 5 });
  expect(report.records).toBe(0);
});

test('event times may be told for a source that leaves them to it', async () => {
  const untimed = defineJob('untimed', {}, (job) => {
    job.source('payments', source<Payment>(), watermarks()).pipe(
      keyBy((p) => p.card),
      window('velocity', sliding('10s', '5s')),
      aggregate({ n: count() }),
      sinkTo('alerts', sink<unknown>()),
    );
  });
  await simulate(untimed, {
    input: { payments },
    timestamps: { payments: (p) => p.at },
    seeds: 5,
    expect: [exactlyOnce(), ({ alerts }) => expect(alerts!.length).toBeGreaterThan(10)],
  });
});

test('the same seeds give the same runs', async () => {
  const options = { input: { payments: drawPayments }, seeds: [3, 4] } as const;
  const first = await simulate(buckets, options);
  const second = await simulate(buckets, options);
  expect(second).toEqual(first);
  const other = await simulate(buckets, { ...options, seeds: [3, 5] });
  expect(other.traceHash).not.toBe(first.traceHash);
});

test('without faults there are none', async () => {
  const report = await simulate(velocity, { input: { payments }, faults: 'none', seeds: 3 });
  expect(report.effectiveFaults).toEqual({});
});

describe('options that do not fit the job are refused', () => {
  const refused: readonly [string, () => Promise<unknown>, RegExp][] = [
    ['no input', () => simulate(velocity, { input: {} }), /nothing for source 'payments'/],
    [
      'an unknown source',
      () => simulate(velocity, { input: { payments, clicks: [] } }),
      /input names 'clicks', the job's sources are payments/,
    ],
    [
      'an unknown sink',
      () =>
        simulate(velocity, {
          input: { payments },
          expect: [conserved({ source: 'payments', sinks: ['alarms'], id: (p: Payment) => p.id })],
        }),
      /no sink 'alarms', only alerts/,
    ],
    ['no seeds', () => simulate(velocity, { input: { payments }, seeds: 0 }), /seeds is 0/],
    ['half a slot', () => simulate(velocity, { input: { payments }, slots: 0.5 }), /slots is 0.5/],
  ];
  test.each(refused)('%s', async (_name, act, message) => {
    await expect(act()).rejects.toMatchObject({ code: 'ERR_TEST_KIT' });
    await expect(act()).rejects.toThrow(message);
  });
});
