import { defineJob, type Stream, watermarks } from '@millrace/core';
import { driveJob, ManualSource, RecordingSink, runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { fork, keyBy, keyedProcess, map, process, sinkTo, type, valueState } from '../index.js';

const numbers = (...values: readonly number[]) => values.map((record) => ({ record, at: record }));
const byTime = watermarks<number>(undefined, { step: 1, farFuture: 'off' });

const split = process('split', {
  output: type<number>(),
  side: { odd: type<string>(), never: type<string>() },
  process(n: number, ctx) {
    if (n % 2 === 0) ctx.emit(n);
    else ctx.side.odd(`odd ${n}`);
  },
});

describe('process', () => {
  test('gives any output, to the main output and to sides', async () => {
    const { main, sides } = await runOperator(
      (s: Stream<number>) => s.pipe(split),
      numbers(1, 2, 3, 4),
      { sides: ['odd', 'never'] },
    );
    expect(main.map((r) => r.value)).toEqual([2, 4]);
    expect(sides.odd!.map((r) => [r.value, r.timestamp])).toEqual([
      ['odd 1', 1],
      ['odd 3', 3],
    ]);
    expect(sides.never).toEqual([]);
  });

  test.each([
    ['process', { process: async () => {} }],
    ['a handler of timers', { process: () => {}, onEventTime: { due: async () => {} } }],
  ])('%s must not be async: behind an await the context is another one', async (_, functions) => {
    const asynchronous = (s: Stream<number>) =>
      s.pipe(
        keyBy((n) => n),
        keyedProcess('p', { output: type<number>(), ...functions }),
      );
    await expect(runOperator(asynchronous, numbers(1))).rejects.toMatchObject({
      code: 'ERR_FUNCTION_RETURNED_PROMISE',
      operator: 'p',
    });
  });

  test('state cannot have the name of a timer’s', async () => {
    const named = (s: Stream<number>) =>
      s.pipe(
        keyBy((n) => n),
        keyedProcess('p', {
          output: type<number>(),
          state: { 'timers.event.due': valueState<number>() },
          process: () => {},
        }),
      );
    await expect(runOperator(named, numbers(1))).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      field: 'state.timers.event.due',
    });
  });

  test('what is written to a side that nobody consumes is not kept', async () => {
    const { main } = await runOperator((s: Stream<number>) => s.pipe(split), numbers(1, 2));
    expect(main.map((r) => r.value)).toEqual([2]);
  });

  test('the main output need not be consumed', async () => {
    const job = defineJob('sides', {}, (builder) => {
      builder.source('in', new ManualSource<number>(), byTime).pipe(
        split,
        fork((s) => s.side.odd.pipe(sinkTo('odd', new RecordingSink()))),
      );
    });
    const driver = await driveJob(job);
    const all = Array.from({ length: 3_000 }, (_, i) => i);
    await driver.send('in', all);
    await driver.finish();
    expect(driver.values('odd')).toHaveLength(1_500);
  });

  test('a side is a stream like any other: mapped, and consumed twice', async () => {
    const job = defineJob('sides', {}, (builder) => {
      const { side } = builder.source('in', new ManualSource<number>(), byTime).pipe(split);
      side.odd.pipe(
        map((text) => text.length),
        sinkTo('lengths', new RecordingSink()),
      );
      side.odd.pipe(sinkTo('texts', new RecordingSink()));
    });
    const driver = await driveJob(job);
    await driver.send('in', [1, 2, 33]);
    await driver.finish();
    expect(driver.values('lengths')).toEqual([5, 6]);
    expect(driver.values('texts')).toEqual(['odd 1', 'odd 33']);
  });

  test.each([511, 512, 513, 5_000])('%i rows of one record', async (rows) => {
    const { main } = await runOperator(
      (s: Stream<number>) =>
        s.pipe(
          process('many', {
            output: type<number>(),
            process(n, ctx) {
              for (let i = 0; i < n; i += 1) ctx.emit(i);
            },
          }),
        ),
      numbers(rows, 1),
    );
    expect(main).toHaveLength(rows + 1);
  });

  test('setup, resource and teardown', async () => {
    const log: string[] = [];
    const job = defineJob('life', {}, (builder) => {
      builder.source('in', new ManualSource<number>(), byTime).pipe(
        process('p', {
          output: type<number>(),
          setup: () => 100,
          teardown: (resource) => void log.push(`teardown ${resource}`),
          process: (n, ctx) => ctx.emit(n + ctx.resource),
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    await driver.send('in', [1]);
    await driver.finish();
    expect(driver.values('out')).toEqual([101]);
    expect(log).toEqual(['teardown 100']);
  });
});

describe('a process function that throws', () => {
  const unlucky = process('p', {
    output: type<number>(),
    side: { also: type<number>() },
    onError: 'deadLetter',
    process(n: number, ctx) {
      ctx.emit(n);
      ctx.side.also(n);
      if (n === 13) throw new RangeError('unlucky');
    },
  });

  test('deadLetter: the record, and nothing it gave to any output', async () => {
    const { main, sides } = await runOperator(
      (s: Stream<number>) => s.pipe(unlucky),
      numbers(1, 13, 20),
      { sides: ['also', 'deadLetters'] },
    );
    expect(main.map((r) => r.value)).toEqual([1, 20]);
    expect(sides.also!.map((r) => r.value)).toEqual([1, 20]);
    expect(sides.deadLetters).toMatchObject([{ value: { record: 13, operator: 'p' } }]);
  });

  test('dead letters can be consumed where the policy gives none: there are none', async () => {
    const job = defineJob('none', {}, (builder) => {
      const out = builder
        .source('in', new ManualSource<number>(), byTime)
        .pipe(process('p', { output: type<number>(), process: (n, ctx) => ctx.emit(n) }));
      out.pipe(sinkTo('out', new RecordingSink()));
      out.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()));
    });
    const driver = await driveJob(job);
    await driver.send('in', [1]);
    await driver.end();
    expect(driver.values('out')).toEqual([1]);
    expect(driver.metrics().operators.dead).toMatchObject({ currentInputWatermark: Infinity });
  });

  test('skip in a timer: what its handler did is undone, the others fire', async () => {
    const { main } = await runOperator(
      (s: Stream<number>) =>
        s.pipe(
          keyBy(() => 'k'),
          keyedProcess('p', {
            output: type<string>(),
            onError: 'skip',
            state: { fired: valueState<number>() },
            process: (n, ctx) => ctx.timers.x.set(n),
            onEventTime: {
              x(at, ctx) {
                const fired = (ctx.state.fired.get() ?? 0) + 1;
                ctx.state.fired.set(fired);
                ctx.emit(`${at} is number ${fired}`);
                if (at === 13) throw new RangeError('unlucky');
              },
            },
          }),
        ),
      numbers(1, 13, 20),
    );
    expect(main.map((r) => r.value)).toEqual(['1 is number 1', '20 is number 2']);
  });
});
