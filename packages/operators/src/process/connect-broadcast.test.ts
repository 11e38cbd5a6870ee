import { defineJob, describe as describeGraph, type OnError, watermarks } from '@millrace/core';
import type { BroadcastState } from '@millrace/core/spi';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  broadcastState,
  connectBroadcast,
  fork,
  keyBy,
  keyedConnectBroadcast,
  keyedProcess,
  map,
  sinkTo,
  type,
  valueState,
} from '../index.js';

interface Payment {
  readonly card: string;
  readonly amount: number;
  readonly at: number;
}
/** A limit of 0 takes the rule away, −1 all of them; 13 is unlucky. */
interface Rule {
  readonly name: string;
  readonly limit: number;
  readonly at: number;
}

const pay = (card: string, amount: number, at = 0): Payment => ({ card, amount, at });
const rule = (name: string, limit: number, at = 0): Rule => ({ name, limit, at });
const byTime = watermarks((r: Payment | Rule) => r.at, { step: 1, farFuture: 'off' });

type Limits = BroadcastState<string, number>;

function change(limits: Limits, { name, limit }: Rule): void {
  if (limit === -1) limits.clear();
  else if (limit === 0) limits.delete(name);
  else limits.set(name, limit);
  if (limit === 13) {
    limits.delete('high');
    limits.clear();
    limits.set('other', 1);
    throw new RangeError('unlucky');
  }
}

/** Alerts where a card's payments exceed a rule's limit, and reports of cards at 100 ms. */
const keyedJob = (onError: OnError = 'fail') =>
  defineJob('keyed', {}, (job) => {
    const rules = job.source('rules', new ManualSource<Rule>(), byTime);
    const alerts = job.source('payments', new ManualSource<Payment>(), byTime).pipe(
      keyBy((p) => p.card),
      keyedConnectBroadcast('alerts', rules, {
        output: type<string>(),
        side: { told: type<string>() },
        onError,
        broadcast: { limits: broadcastState<string, number>() },
        state: { spent: valueState<number>() },
        process(p, ctx) {
          const spent = (ctx.state.spent.get() ?? 0) + p.amount;
          ctx.state.spent.set(spent);
          ctx.timers.report.set(100);
          for (const [name, limit] of ctx.broadcast.limits.entries()) {
            if (spent > limit) ctx.emit(`${ctx.key} ${name} ${spent}`);
          }
          if (p.amount === 13) throw new RangeError('unlucky');
        },
        processBroadcast(r, ctx) {
          change(ctx.broadcast.limits, r);
          ctx.emit(`${r.name} is ${r.limit} at ${ctx.timestamp}`);
          ctx.side.told(r.name);
        },
        onEventTime: {
          report(at, ctx) {
            const { limits } = ctx.broadcast;
            ctx.emit(`${ctx.key} at ${at}: ${limits.has('high')} ${limits.size}`);
            if (limits.get('low') === 1) throw new RangeError('unlucky');
          },
        },
      }),
      fork((s) => s.side.told.pipe(sinkTo('told', new RecordingSink()))),
      fork((s) => s.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()))),
    );
    alerts.pipe(sinkTo('out', new RecordingSink()));
  });

/** The names of all rules, in order, for each payment. */
const unkeyedJob = (onError: OnError = 'fail') =>
  defineJob('unkeyed', {}, (job) => {
    const rules = job.source('rules', new ManualSource<Rule>(), byTime);
    job.source('payments', new ManualSource<Payment>(), byTime).pipe(
      connectBroadcast('names', rules, {
        output: type<string>(),
        onError,
        broadcast: { limits: broadcastState<string, number>() },
        setup: () => 'rules',
        process(p, ctx) {
          const names = [...ctx.broadcast.limits.entries()].map(([name, n]) => `${name}=${n}`);
          ctx.emit(`${p.card} ${ctx.resource} ${names.join()}`);
        },
        processBroadcast(r, ctx) {
          change(ctx.broadcast.limits, r);
          if (ctx.resource !== 'rules') ctx.emit('no resource');
        },
      }),
      sinkTo('out', new RecordingSink()),
    );
  });

describe.each(['on', 'off'] as const)('broadcast state, codegen %s', (codegen) => {
  test('what the updates set, all keys see; each key has its own state beside it', async () => {
    const driver = await driveJob(keyedJob(), { codegen });
    await driver.send('payments', [pay('a', 50)]);
    await driver.send('rules', [rule('low', 60, 7), rule('high', 100)]);
    await driver.send('payments', [pay('a', 20), pay('b', 60), pay('b', 50)]);
    await driver.send('rules', [rule('low', 0)]);
    await driver.send('payments', [pay('a', 1), pay('b', 1)]);
    expect(driver.values('out')).toEqual([
      'low is 60 at 7',
      'high is 100 at 0',
      'a low 70',
      'b low 110',
      'b high 110',
      'low is 0 at 0',
      'b high 111',
    ]);
    expect(driver.values('told')).toEqual(['low', 'high', 'low']);
  });

  test('without a key: the rules stand in the order in which they were set first', async () => {
    const driver = await driveJob(unkeyedJob(), { codegen });
    const updates = [rule('c', 1), rule('a', 2), rule('b', 3), rule('a', 4), rule('c', 0)];
    await driver.send('rules', [...updates, rule('c', 5)]);
    await driver.send('payments', [pay('x', 1)]);
    await driver.send('rules', [rule('', -1), rule('z', 1)]);
    await driver.send('payments', [pay('x', 1)]);
    expect(driver.values('out')).toEqual(['x rules a=4,b=3,c=5', 'x rules z=1']);
  });

  test('timers see it, and wait for the slower input', async () => {
    const driver = await driveJob(keyedJob(), { codegen });
    await driver.send('payments', [pay('a', 1), pay('b', 1), pay('a', 1, 500)]);
    await driver.send('rules', [rule('high', 100, 100)]);
    expect(driver.values('out')).toEqual(['high is 100 at 100']);
    await driver.send('rules', [rule('low', 100, 101)]);
    expect(driver.values('out').slice(2)).toEqual(['a at 100: true 2', 'b at 100: true 2']);
  });

  test.each(['skip', 'deadLetter'] as const)(
    '%s: what a failing update did is undone',
    async (p) => {
      const driver = await driveJob(keyedJob(p), { codegen });
      const updates = [rule('low', 60), rule('high', 100), rule('bad', 13), rule('low', 13)];
      await driver.send('rules', updates);
      await driver.send('payments', [pay('a', 200)]);
      expect(driver.values('out').slice(2)).toEqual(['a low 200', 'a high 200']);
      expect(driver.values('dead')).toHaveLength(p === 'skip' ? 0 : 2);
    },
  );

  test('what a failing record of a key did is undone, and no update before it', async () => {
    const driver = await driveJob(keyedJob('skip'), { codegen });
    await driver.send('rules', [rule('low', 60)]);
    await driver.send('payments', [pay('a', 50), pay('a', 13), pay('a', 11)]);
    expect(driver.values('out').slice(1)).toEqual(['a low 61']);
  });

  test('a failing timer undoes no update before it', async () => {
    const driver = await driveJob(keyedJob('skip'), { codegen });
    await driver.send('payments', [pay('a', 1), pay('b', 1, 500)]);
    await driver.send('rules', [rule('low', 1, 101)]);
    expect(driver.metrics().operators.alerts).toMatchObject({ numRecordsSkipped: 2 });
    await driver.send('payments', [pay('a', 5, 103)]);
    expect(driver.values('out')).toEqual(['low is 1 at 101', 'a low 6']);
  });

  test('retry: each attempt begins with the state ahead of the update', async () => {
    const policy = { action: 'retry', attempts: 3, otherwise: 'skip' } as const;
    const driver = await driveJob(unkeyedJob(policy), { codegen });
    await driver.send('rules', [rule('a', 1), rule('b', 13), rule('c', 2)]);
    await driver.send('payments', [pay('x', 1)]);
    expect(driver.values('out')).toEqual(['x rules a=1,c=2']);
    expect(driver.metrics().operators.names).toMatchObject({ numRecordsRetried: 2 });
  });

  test.each(['set', 'delete', 'clear'] as const)('%s outside processBroadcast', async (method) => {
    const job = defineJob('cast', {}, (builder) => {
      const rules = builder.source('rules', new ManualSource<Rule>(), byTime);
      builder.source('payments', new ManualSource<Payment>(), byTime).pipe(
        connectBroadcast('c', rules, {
          output: type<string>(),
          broadcast: { limits: broadcastState<string, number>() },
          process: (_p, ctx) => (ctx.broadcast.limits as Limits)[method]('a', 1),
          processBroadcast: () => undefined,
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job, { codegen });
    await expect(driver.send('payments', [pay('x', 1)])).rejects.toMatchObject({
      code: 'ERR_STATE_READ_ONLY',
      operator: 'c',
      detail: expect.stringContaining(`broadcast.limits.${method}`),
    });
  });

  test('what is visited may be deleted, and changed', async () => {
    const job = defineJob('visit', {}, (builder) => {
      const rules = builder.source('rules', new ManualSource<Rule>(), byTime);
      builder.source('payments', new ManualSource<Payment>(), byTime).pipe(
        connectBroadcast('c', rules, {
          output: type<string>(),
          broadcast: { limits: broadcastState<string, number>() },
          process: (_p, ctx) => ctx.emit(JSON.stringify([...ctx.broadcast.limits.entries()])),
          processBroadcast(r, { broadcast: { limits } }) {
            limits.set(r.name, r.limit);
            for (const [name, limit] of limits.entries()) {
              if (limit < r.limit) limits.delete(name);
              else limits.set(name, limit + 1);
            }
          },
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job, { codegen });
    await driver.send('rules', [rule('a', 1), rule('b', 5), rule('c', 5), rule('d', 6)]);
    await driver.send('payments', [pay('x', 1)]);
    expect(driver.values('out')).toEqual(['[["b",8],["c",7],["d",7]]']);
  });

  test('a stream may be its own updates, with or without a key', async () => {
    const job = defineJob('self', {}, (builder) => {
      const keyed = builder
        .source('in', new ManualSource<Payment>(), byTime)
        .pipe(keyBy((p) => p.card));
      keyed.pipe(
        keyedConnectBroadcast('c', keyed, {
          output: type<string>(),
          broadcast: { seen: broadcastState<string, number>() },
          process: (p, ctx) => ctx.emit(`${ctx.key} ${p.amount}`),
          processBroadcast(p, ctx) {
            ctx.broadcast.seen.set(p.card, p.amount);
            ctx.emit(`all ${ctx.broadcast.seen.size}`);
          },
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job, { codegen });
    await driver.send('in', [pay('a', 1), pay('b', 2)]);
    expect([...driver.values('out')].sort()).toEqual(['a 1', 'all 1', 'all 2', 'b 2']);
  });
});

describe('the graph', () => {
  test('text shows the state and who goes to all subtasks', () => {
    expect(describeGraph(keyedJob().build().graph)).toMatchInlineSnapshot(`
      "job keyed
        rules  manual (watermarks {"kind":"bounded","outOfOrdernessMs":0,"stepMs":1})
        payments  manual (watermarks {"kind":"bounded","outOfOrdernessMs":0,"stepMs":1})
        alerts  keyedConnectBroadcast (state {spent: value, limits: broadcast})
          ← payments  [key]
          ← rules  [broadcast]
        told  recording (guarantee at-most-once)
          ← alerts.told
        dead  recording (guarantee at-most-once)
          ← alerts.deadLetters
        out  recording (guarantee at-most-once)
          ← alerts"
    `);
  });

  test('the picture as well', () => {
    expect(describeGraph(unkeyedJob().build().graph, 'mermaid')).toMatchInlineSnapshot(`
      "flowchart LR
        n0(["rules<br/>manual"])
        n1(["payments<br/>manual"])
        n2["names<br/>connectBroadcast"]
        n3[/"out<br/>recording"/]
        n1 --> n2
        n0 -->|"broadcast"| n2
        n2 --> n3"
    `);
  });

  test('updates with a key, or mapped, go to all subtasks alike', () => {
    const job = defineJob('moved', {}, (builder) => {
      const rules = builder.source('rules', new ManualSource<Rule>(), byTime);
      const spec = {
        output: type<string>(),
        broadcast: { limits: broadcastState<string, number>() },
        process: () => undefined,
        processBroadcast: () => undefined,
      };
      builder
        .source('payments', new ManualSource<Payment>(), byTime)
        .pipe(
          connectBroadcast('a', rules.pipe(keyBy((r) => r.name)), spec),
          connectBroadcast('b', rules.pipe(map((r) => r.limit)), spec),
          sinkTo('out', new RecordingSink()),
        );
    });
    const { edges } = job.build().graph;
    const kinds = edges.filter(({ input }) => input === 1).map((edge) => edge.partitioning);
    expect(kinds).toEqual([{ kind: 'broadcast' }, { kind: 'broadcast' }]);
  });

  test('a name cannot be state and broadcast state', () => {
    const job = defineJob('twice', {}, (builder) => {
      const rules = builder.source('rules', new ManualSource<Rule>(), byTime);
      builder.source('payments', new ManualSource<Payment>(), byTime).pipe(
        keyBy((p) => p.card),
        keyedConnectBroadcast('c', rules, {
          output: type<string>(),
          broadcast: { limits: broadcastState<string, number>() },
          state: { limits: valueState<number>() },
          process: () => undefined,
          processBroadcast: () => undefined,
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    expect(() => job.build()).toThrow(/ERR_INVALID_OPTION.*'limits' is declared as state and/);
  });

  test('broadcast state without updates is refused', () => {
    const job = defineJob('alone', {}, (builder) => {
      builder.source('payments', new ManualSource<Payment>(), byTime).pipe(
        keyBy((p) => p.card),
        keyedProcess('p', {
          output: type<string>(),
          state: { limits: broadcastState<string, number>() },
          process: () => undefined,
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    expect(() => job.build()).toThrow(/\[p\] ERR_INVALID_OPTION.*use connectBroadcast/);
  });
});
