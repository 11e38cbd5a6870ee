import type { DeadLetter, KeyedStream, Stream } from '@millrace/core';
import type { BroadcastState, ReadOnlyBroadcastState, ValueState } from '@millrace/core/spi';
import { expectTypeOf, test } from 'vitest';
import { broadcastState } from './broadcast-state.js';
import { connectBroadcast, keyedConnectBroadcast } from './connect-broadcast.js';
import { operatorListState } from './operator-state.js';
import { valueState } from './state.js';
import { type } from './type-witness.js';

interface Payment {
  readonly card: string;
  readonly amount: number;
}
interface Rule {
  readonly name: string;
  readonly limit: number;
}
declare const payments: Stream<Payment>;
declare const byCard: KeyedStream<Payment, string>;
declare const rules: Stream<Rule>;

test('declared state carries the type of its handle', () => {
  const limits = broadcastState<string, Rule>({
    version: 2,
    migrate: (stored, version) => ({ name: String(stored), limit: version }),
  });
  type Handle = NonNullable<(typeof limits)['handle']>;
  expectTypeOf<Handle>().toEqualTypeOf<BroadcastState<string, Rule>>();
  // @ts-expect-error a map's keys are keys
  broadcastState<{ id: number }, string>();
  // @ts-expect-error a migrated value is one
  broadcastState<string, number>({ migrate: () => 'a' });
});

test('without a key: records, updates and state have their types without annotation', () => {
  const out = payments.pipe(
    connectBroadcast('c', rules, {
      output: type<number>(),
      side: { told: type<Rule>() },
      broadcast: { limits: broadcastState<string, number>() },
      setup: () => ({ score: 1 }),
      process(p, ctx) {
        expectTypeOf(p).toEqualTypeOf<Payment>();
        expectTypeOf(ctx.broadcast.limits).toEqualTypeOf<ReadOnlyBroadcastState<string, number>>();
        expectTypeOf(ctx.resource).toEqualTypeOf<{ score: number }>();
        expectTypeOf(ctx.emit).parameter(0).toEqualTypeOf<number>();
        // @ts-expect-error read-only here
        ctx.broadcast.limits.set('a', 1);
        // @ts-expect-error no key
        ctx.key;
        // @ts-expect-error no such state
        ctx.broadcast.others;
      },
      processBroadcast(r, ctx) {
        expectTypeOf(r).toEqualTypeOf<Rule>();
        expectTypeOf(ctx.broadcast.limits).toEqualTypeOf<BroadcastState<string, number>>();
        expectTypeOf(ctx.side.told).parameter(0).toEqualTypeOf<Rule>();
        expectTypeOf(ctx.resource).toEqualTypeOf<{ score: number }>();
      },
    }),
  );
  expectTypeOf(out).toExtend<Stream<number>>();
  expectTypeOf(out.side.told).toEqualTypeOf<Stream<Rule>>();
  expectTypeOf(out.side.deadLetters).toEqualTypeOf<Stream<DeadLetter<Payment | Rule>>>();
});

test('with a key: state and timers of the key for its records, not for updates', () => {
  const out = byCard.pipe(
    keyedConnectBroadcast('c', rules, {
      output: type<string>(),
      broadcast: { limits: broadcastState<string, number>() },
      state: { spent: valueState<number>() },
      process(p, ctx) {
        expectTypeOf(p).toEqualTypeOf<Payment>();
        expectTypeOf(ctx.key).toEqualTypeOf<string>();
        expectTypeOf(ctx.state.spent).toEqualTypeOf<ValueState<number>>();
        expectTypeOf(ctx.broadcast.limits).toEqualTypeOf<ReadOnlyBroadcastState<string, number>>();
        ctx.timers.report.set(1);
        ctx.timers.poll.set(1);
        // @ts-expect-error no such timer
        ctx.timers.other;
      },
      processBroadcast(r, ctx) {
        expectTypeOf(r).toEqualTypeOf<Rule>();
        ctx.broadcast.limits.delete(r.name);
        // @ts-expect-error no key
        ctx.key;
        // @ts-expect-error no state of a key
        ctx.state;
        // @ts-expect-error no timers
        ctx.timers;
      },
      onEventTime: {
        report(at, ctx) {
          expectTypeOf(at).toEqualTypeOf<number>();
          ctx.emit(`${ctx.key} ${ctx.broadcast.limits.get('a')} ${ctx.state.spent.get()}`);
          // @ts-expect-error read-only here
          ctx.broadcast.limits.clear();
        },
      },
      onProcessingTime: { poll: (_at, ctx) => ctx.emit(ctx.key) },
    }),
  );
  expectTypeOf(out).toExtend<Stream<string>>();
});

test('what cannot be is refused', () => {
  // @ts-expect-error needs keyBy ahead of it
  payments.pipe(keyedConnectBroadcast('c', rules, emptySpec));
  connectBroadcast('c', rules, {
    ...emptySpec,
    // @ts-expect-error keyed state is not broadcast
    broadcast: { spent: valueState<number>() },
  });
  connectBroadcast('c', rules, {
    ...emptySpec,
    // @ts-expect-error a list of a subtask is not broadcast
    broadcast: { list: operatorListState<number>() },
  });
});

const emptySpec = {
  output: type<string>(),
  broadcast: {},
  process: () => undefined,
  processBroadcast: () => undefined,
};
