import { defineJob, type OnError, watermarks } from '@millrace/core';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { connect, keyBy, sinkTo, type, valueState } from '../index.js';

interface Rec {
  readonly key: string;
  readonly n: number;
  readonly at: number;
}

const rec = (key: string, n: number, at = 0): Rec => ({ key, n, at });
const byTime = watermarks((r: Rec) => r.at, { step: 1, farFuture: 'off' });

/** The right input sets a limit; the left one is let through up to it, and counted by a timer. */
const limitJob = (onError: OnError = 'fail') =>
  defineJob('limits', {}, (job) => {
    const right = job.source('limits', new ManualSource<Rec>(), byTime).pipe(keyBy((r) => r.key));
    job.source('payments', new ManualSource<Rec>(), byTime).pipe(
      keyBy((r) => r.key),
      connect('c', right, {
        output: type<string>(),
        state: { limit: valueState<number>(), passed: valueState<number>() },
        onError,
        processLeft(p, ctx) {
          ctx.timers.report.set(100);
          const passed = (ctx.state.passed.get() ?? 0) + 1;
          ctx.state.passed.set(passed);
          if (p.n === 13) throw new RangeError('unlucky');
          if (p.n <= (ctx.state.limit.get() ?? 0)) ctx.emit(`${ctx.key} ${p.n}`);
        },
        processRight(l, ctx) {
          ctx.state.limit.set(l.n);
        },
        onEventTime: {
          report: (at, ctx) => ctx.emit(`${ctx.key} ${ctx.state.passed.get()} at ${at}`),
        },
      }),
      sinkTo('out', new RecordingSink()),
    );
  });

describe.each(['on', 'off'] as const)('connect, codegen %s', (codegen) => {
  test('both inputs see the state of a key, and only of that key', async () => {
    const driver = await driveJob(limitJob(), { codegen });
    await driver.send('payments', [rec('a', 5)]);
    await driver.send('limits', [rec('a', 10)]);
    await driver.send('payments', [rec('a', 6), rec('a', 11), rec('b', 1)]);
    expect(driver.values('out')).toEqual(['a 6']);
  });

  test('a timer waits for the slower input', async () => {
    const driver = await driveJob(limitJob(), { codegen });
    await driver.send('payments', [rec('a', 1), rec('a', 1, 500)]);
    expect(driver.values('out')).toEqual([]);
    await driver.send('limits', [rec('a', 1, 100)]);
    expect(driver.values('out')).toEqual([]);
    await driver.send('limits', [rec('a', 1, 101)]);
    expect(driver.values('out')).toEqual(['a 2 at 100']);
  });

  test('an input that has ended holds nothing up; the other goes on', async () => {
    const driver = await driveJob(limitJob(), { codegen });
    await driver.send('limits', [rec('a', 9)]);
    await driver.end('limits');
    await driver.send('payments', [rec('a', 1), rec('a', 2, 500)]);
    expect(driver.values('out')).toEqual(['a 1', 'a 2', 'a 2 at 100']);
    await driver.finish();
  });

  test('skip: what a record did to state and timers is undone', async () => {
    const driver = await driveJob(limitJob('skip'), { codegen });
    await driver.send('payments', [rec('a', 1), rec('a', 13), rec('b', 13)]);
    await driver.finish();
    expect(driver.values('out')).toEqual(['a 1 at 100']);
  });

  test('an input may be connected to itself', async () => {
    const job = defineJob('self', {}, (builder) => {
      const keyed = builder.source('in', new ManualSource<Rec>(), byTime).pipe(keyBy((r) => r.key));
      keyed.pipe(
        connect('c', keyed, {
          output: type<string>(),
          processLeft: (r, ctx) => ctx.emit(`left ${r.n}`),
          processRight: (r, ctx) => ctx.emit(`right ${r.n}`),
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job, { codegen });
    await driver.send('in', [rec('a', 1), rec('a', 2)]);
    await driver.finish();
    expect([...driver.values('out')].sort()).toEqual(['left 1', 'left 2', 'right 1', 'right 2']);
  });
});
