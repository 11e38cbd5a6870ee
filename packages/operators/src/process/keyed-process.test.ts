import { defineJob, type Stream, watermarks } from '@millrace/core';
import { coreLimits } from '@millrace/core/internal';
import { driveJob, ManualSource, RecordingSink, runOperator } from '@millrace/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyBy, keyedProcess, listState, mapState, sinkTo, type, valueState } from '../index.js';

interface Step {
  readonly key: string;
  readonly do: string;
  readonly n: number;
}

const step = (key: string, what: string, n = 0, at = 0) => ({
  record: { key, do: what, n } as Step,
  at,
});
const byKey = keyBy((s: Step) => s.key);

describe('state of a key', () => {
  const value = keyedProcess('p', {
    output: type<string>(),
    state: { last: valueState<number>() },
    process(s: Step, ctx) {
      if (s.do === 'set') ctx.state.last.set(s.n);
      if (s.do === 'clear') ctx.state.last.clear();
      if (s.do === 'get') ctx.emit(`${ctx.key} ${ctx.state.last.get()}`);
    },
  });
  const list = keyedProcess('p', {
    output: type<string>(),
    state: { all: listState<number>() },
    process(s: Step, ctx) {
      const { all } = ctx.state;
      if (s.do === 'add') all.add(s.n);
      if (s.do === 'set') all.set([s.n, s.n]);
      if (s.do === 'clear') all.clear();
      if (s.do === 'get') ctx.emit(`${ctx.key} ${all.get().join('+')}`);
    },
  });
  const map = keyedProcess('p', {
    output: type<string>(),
    state: { by: mapState<number, string>() },
    process(s: Step, ctx) {
      const { by } = ctx.state;
      if (s.do === 'set') by.set(s.n, `v${s.n}`);
      if (s.do === 'delete') by.delete(s.n);
      if (s.do === 'clear') by.clear();
      if (s.do === 'has') ctx.emit(`${ctx.key} ${by.has(s.n)} ${by.get(s.n)}`);
      if (s.do === 'get') ctx.emit(`${ctx.key} ${by.size} ${[...by.entries()].join(' ')}`);
    },
  });

  test.each([
    ['a value nobody set is undefined', value, [step('a', 'get')], ['a undefined']],
    [
      'a value is its key’s own',
      value,
      [step('a', 'set', 1), step('b', 'get'), step('a', 'get')],
      ['b undefined', 'a 1'],
    ],
    ['set replaces', value, [step('a', 'set', 1), step('a', 'set', 2), step('a', 'get')], ['a 2']],
    [
      'clear forgets',
      value,
      [step('a', 'set', 1), step('a', 'clear'), step('a', 'get')],
      ['a undefined'],
    ],
    ['a list nobody added to is empty', list, [step('a', 'get')], ['a ']],
    [
      'add appends',
      list,
      [step('a', 'add', 1), step('b', 'add', 9), step('a', 'add', 2), step('a', 'get')],
      ['a 1+2'],
    ],
    [
      'set replaces a list',
      list,
      [step('a', 'add', 1), step('a', 'set', 2), step('a', 'add', 3), step('a', 'get')],
      ['a 2+2+3'],
    ],
    [
      'clear empties a list',
      list,
      [step('a', 'add', 1), step('a', 'clear'), step('a', 'get')],
      ['a '],
    ],
    ['an empty map', map, [step('a', 'get'), step('a', 'has', 1)], ['a 0 ', 'a false undefined']],
    [
      'a map keeps insertion order',
      map,
      [step('a', 'set', 2), step('a', 'set', 1), step('a', 'set', 2), step('a', 'get')],
      ['a 2 2,v2 1,v1'],
    ],
    [
      'delete forgets one entry',
      map,
      [
        step('a', 'set', 1),
        step('a', 'set', 2),
        step('a', 'delete', 1),
        step('a', 'delete', 7),
        step('a', 'get'),
      ],
      ['a 1 2,v2'],
    ],
    [
      'clear empties a map',
      map,
      [step('a', 'set', 1), step('a', 'clear'), step('a', 'get')],
      ['a 0 '],
    ],
  ] as const)('%s', async (_name, operator, script, expected) => {
    const { main } = await runOperator((s: Stream<Step>) => s.pipe(byKey, operator), script);
    expect(main.map((r) => r.value)).toEqual(expected);
  });
});

describe('event timers', () => {
  const timers = keyedProcess('p', {
    output: type<string>(),
    process(s: Step, ctx) {
      if (s.do === 'set') ctx.timers.x.set(s.n);
      if (s.do === 'delete') ctx.timers.x.delete(s.n);
      if (s.do === 'clear') ctx.timers.x.clear();
      if (s.do === 'other') ctx.timers.y.set(s.n);
    },
    onEventTime: {
      x(at, ctx) {
        ctx.emit(`x ${ctx.key} ${at}`);
        // A timer that sets another one: due already, and to come.
        if (at === 15) ctx.timers.y.set(16);
        if (at === 16) ctx.timers.x.set(500);
      },
      y: (at, ctx) => ctx.emit(`y ${ctx.key} ${at}`),
    },
  });

  test.each([
    [
      'fire in order of time',
      [step('a', 'set', 30), step('a', 'set', 10), step('b', 'set', 20)],
      ['x a 10', 'x b 20', 'x a 30'],
    ],
    [
      'of one time fire in order of registration',
      [step('b', 'set', 10), step('a', 'other', 10), step('a', 'set', 10)],
      ['x b 10', 'y a 10', 'x a 10'],
    ],
    ['set twice fire once', [step('a', 'set', 10), step('a', 'set', 10)], ['x a 10']],
    [
      'that are deleted do not fire',
      [step('a', 'set', 10), step('b', 'set', 10), step('a', 'delete', 10)],
      ['x b 10'],
    ],
    [
      'clear deletes all of the name and key',
      [
        step('a', 'set', 10),
        step('a', 'set', 11),
        step('a', 'other', 12),
        step('b', 'set', 13),
        step('a', 'clear'),
      ],
      ['y a 12', 'x b 13'],
    ],
    [
      'set by a handler for what is due fire at once',
      [step('a', 'set', 15), step('a', 'set', 20)],
      ['x a 15', 'y a 16', 'x a 20'],
    ],
    [
      'set by a handler for later fire later',
      [step('a', 'set', 16), step('a', 'set', 20)],
      ['x a 16', 'x a 20', 'x a 500'],
    ],
    [
      'set for a time that has passed fire with the next watermark',
      [step('a', 'go', 0, 100), step('a', 'set', 5, 101), step('a', 'go', 0, 102)],
      ['x a 5'],
    ],
  ] as const)('%s', async (_name, script, expected) => {
    const { main } = await runOperator((s: Stream<Step>) => s.pipe(byKey, timers), script);
    expect(main.map((r) => r.value)).toEqual(expected);
  });

  test('fire when the watermark is beyond them, with their own time as timestamp', async () => {
    const { main } = await runOperator(
      (s: Stream<Step>) =>
        s.pipe(
          byKey,
          keyedProcess('p', {
            output: type<string>(),
            process(rec, ctx) {
              if (rec.do === 'set') ctx.timers.x.set(rec.n);
              ctx.emit(`${rec.do} at ${ctx.timestamp}`);
            },
            onEventTime: { x: (at, ctx) => ctx.emit(`fired ${at} at ${ctx.timestamp}`) },
          }),
        ),
      [
        step('a', 'set', 10, 1),
        step('a', 'before', 0, 10),
        step('a', 'on', 0, 11),
        step('a', 'after', 0, 12),
      ],
    );
    expect(main.map((r) => [r.value, r.timestamp])).toEqual([
      ['set at 1', 1],
      ['before at 10', 10],
      ['on at 11', 11],
      ['fired 10 at 10', 10],
      ['after at 12', 12],
    ]);
  });
});

test('event timers see the processing time at which they fire', async () => {
  const late = keyedProcess('p', {
    output: type<number>(),
    process: (s: Step, ctx) => ctx.timers.x.set(s.n),
    onEventTime: { x: (_at, ctx) => ctx.emit(ctx.processingTime - Date.UTC(2020, 0, 1)) },
  });
  // No record comes with the watermark that lets it fire, which is that of the end.
  const script = [step('a', 'set', 10), { advanceMs: 60_000 }];
  const { main } = await runOperator((s: Stream<Step>) => s.pipe(byKey, late), script);
  expect(main.map((r) => r.value)).toEqual([60_000]);
});

describe('a timer that sets itself again', () => {
  /** Counts how often it fired. */
  const finish = async (goesOn: (fired: number, watermark: number) => boolean) => {
    let fired = 0;
    const job = defineJob('again', {}, (builder) => {
      builder
        .source(
          'in',
          new ManualSource<number>(),
          watermarks((n: number) => n),
        )
        .pipe(
          keyBy(() => 'all'),
          keyedProcess('p', {
            output: type<number>(),
            process: (n: number, ctx) => ctx.timers.again.set(n),
            onEventTime: {
              again(at, ctx) {
                fired += 1;
                if (goesOn(fired, ctx.watermark)) ctx.timers.again.set(at + 1);
              },
            },
          }),
          sinkTo('out', new RecordingSink()),
        );
    });
    const driver = await driveJob(job);
    await driver.send('in', [0, 1_000]);
    await driver.finish();
    return fired;
  };

  test('for ever is an error at the end of input that names its operator', async () => {
    const { endTimersMin } = coreLimits;
    onTestFinished(() => void Object.assign(coreLimits, { endTimersMin }));
    Object.assign(coreLimits, { endTimersMin: 30_000 });
    await expect(finish((fired) => fired < 1_000_000)).rejects.toMatchObject({
      code: 'ERR_ENDLESS_TIMERS',
      operator: 'p',
      retryable: false,
    });
  });

  test.each<[string, number, (fired: number, watermark: number) => boolean]>([
    ['when the input has ended', 1_001, (_, watermark) => watermark < Infinity],
    ['when its key has no more to do', 20_000, (fired) => fired < 20_000],
  ])('may end %s', async (_name, expected, goesOn) => {
    expect(await finish(goesOn)).toBe(expected);
  });
});

test('a timer that throws is a dead letter with its key', async () => {
  const failing = keyedProcess('p', {
    output: type<string>(),
    onError: 'deadLetter',
    process: (s: Step, ctx) => ctx.timers.due.set(s.n),
    onEventTime: {
      due() {
        throw new RangeError('unlucky');
      },
    },
  });
  const { sides } = await runOperator(
    (s: Stream<Step>) => s.pipe(byKey, failing),
    [step('a', 'set', 7)],
    { sides: ['deadLetters'] },
  );
  expect(sides.deadLetters!.map(({ value }) => value)).toMatchObject([
    { key: 'a', timestamp: 7, operator: 'p', error: { code: 'ERR_FUNCTION_THREW' } },
  ]);
});

describe('processing timers', () => {
  const idle = keyedProcess('p', {
    output: type<string>(),
    process(s: Step, ctx) {
      const now = ctx.processingTime;
      if (s.do === 'in') ctx.timers.idle.set(now + s.n);
      if (s.do === 'clear') ctx.timers.idle.clear();
    },
    onProcessingTime: {
      idle(at, ctx) {
        ctx.emit(`${ctx.key} ${at - start} ${ctx.processingTime - start}`);
        if (ctx.key === 'again' && at - start < 30) ctx.timers.idle.set(at + 10);
      },
    },
  });
  const start = Date.UTC(2020, 0, 1);
  const wait = (advanceMs: number) => ({ advanceMs });

  test.each([
    [
      'fire when the clock reaches them',
      [step('a', 'in', 10), wait(9), wait(1), wait(1)],
      ['a 10 10'],
    ],
    ['never early', [step('a', 'in', 10), wait(9)], []],
    [
      'in order of time when several are due',
      [step('a', 'in', 20), step('b', 'in', 10), wait(30)],
      ['b 10 10', 'a 20 20'],
    ],
    ['not when cleared', [step('a', 'in', 10), wait(5), step('a', 'clear'), wait(10)], []],
    [
      'again when a handler sets them',
      [step('again', 'in', 10), wait(10), wait(10), wait(10)],
      ['again 10 10', 'again 20 20', 'again 30 30'],
    ],
  ] as const)('%s', async (_name, script, expected) => {
    const { main } = await runOperator((s: Stream<Step>) => s.pipe(byKey, idle), script);
    const text = main.map((r) => r.value);
    // The driver moves the clock in one go, so the time of firing may be later than the timer's.
    expect(text.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
      expected.map((line) => line.split(' ').slice(0, 2).join(' ')),
    );
  });
});
