import { defineJob, type KeyedStream, type OnError, type Stream, watermarks } from '@millrace/core';
import { driveJob, ManualSource, RecordingSink, runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  collect,
  count,
  customWindows,
  keyBy,
  reduce,
  session,
  sinkTo,
  sliding,
  sum,
  tumbling,
  type WindowAssigner,
  type WindowOptions,
  window,
  windowProcess,
} from '../index.js';

interface Rec {
  readonly key: string;
  readonly at: number;
  readonly v: number;
}

const rec = (key: string, at: number, v = 1): Rec => ({ key, at, v });
const script = (records: readonly Rec[]) => records.map((record) => ({ record, at: record.at }));
const byKey = keyBy((r: Rec) => r.key);

/** `key [start, end) values #pane timing` of each result, in the order in which they came. */
async function resultsOf(
  assigner: WindowAssigner,
  records: readonly Rec[],
  options: WindowOptions = {},
  outOfOrdernessMs = 0,
): Promise<{ readonly results: readonly string[]; readonly late: readonly unknown[] }> {
  const { main, sides } = await runOperator(
    (s: Stream<Rec>) =>
      s.pipe(
        byKey as (input: Stream<Rec>) => KeyedStream<Rec, string>,
        window('w', assigner, options),
        aggregate({ all: collect((r: Rec) => r.v) }),
      ),
    script(records),
    { sides: ['late'], outOfOrdernessMs },
  );
  const results = main.map(({ value: { key, window: w, all, pane } }) => {
    const again = pane.timing === 'late' ? ` #${pane.index} late` : '';
    return `${key} [${w.start}, ${w.end}) ${all.join('+')}${again}`;
  });
  return { results, late: sides.late!.map(({ value }) => value) };
}

describe('which windows a record is in', () => {
  test.each<[string, WindowAssigner, readonly number[], readonly string[]]>([
    [
      'tumbling: start is in, end is out',
      tumbling(10),
      [0, 9, 10],
      ['k [0, 10) 1+1', 'k [10, 20) 1'],
    ],
    [
      'tumbling: negative times',
      tumbling(10),
      [-11, -10, -1, 0],
      ['k [-20, -10) 1', 'k [-10, 0) 1+1', 'k [0, 10) 1'],
    ],
    [
      'tumbling with an offset',
      tumbling(10, { offset: 3 }),
      [2, 3, 12, 13],
      ['k [-7, 3) 1', 'k [3, 13) 1+1', 'k [13, 23) 1'],
    ],
    [
      'an offset above the size is taken modulo',
      tumbling(10, { offset: 23 }),
      [3],
      ['k [3, 13) 1'],
    ],
    ['sliding: in each window that covers it', sliding(10, 5), [7], ['k [0, 10) 1', 'k [5, 15) 1']],
    ['sliding with an offset', sliding(10, 5, { offset: 2 }), [7], ['k [2, 12) 1', 'k [7, 17) 1']],
    ['sliding by the size is tumbling', sliding(10, 10), [0, 10], ['k [0, 10) 1', 'k [10, 20) 1']],
    [
      'session: a record at the gap continues it',
      session(5),
      [0, 5, 11],
      ['k [0, 10) 1+1', 'k [11, 16) 1'],
    ],
    [
      'custom',
      customWindows('w', (t) => [
        { start: t, end: t + 1 },
        { start: 0, end: 100 },
      ]),
      [5],
      ['k [5, 6) 1', 'k [0, 100) 1'],
    ],
  ])('%s', async (_name, assigner, times, expected) => {
    const { results } = await resultsOf(
      assigner,
      times.map((at) => rec('k', at)),
    );
    expect(results).toEqual(expected);
  });

  test('custom: a window that is given twice is one window', async () => {
    const twice = customWindows('twice', () => [
      { start: 0, end: 10 },
      { start: 0, end: 10 },
    ]);
    const { results } = await resultsOf(twice, [rec('k', 1), rec('k', 2)]);
    expect(results).toEqual(['k [0, 10) 1+1']);
  });

  test('custom: a record that is in no window is left out, and not late', async () => {
    const firstHalves = customWindows('first halves', (t) => {
      const start = Math.floor(t / 10) * 10;
      return t < start + 5 ? [{ start, end: start + 5 }] : [];
    });
    const records = [rec('k', 1), rec('k', 7), rec('k', 12), rec('k', 6), rec('k', 13)];
    const { results, late } = await resultsOf(firstHalves, records);
    expect(results).toEqual(['k [0, 5) 1', 'k [10, 15) 1+1']);
    expect(late).toEqual([]);
  });

  test('a fired session that a record continues beyond the watermark fires again at its end', async () => {
    const records = [rec('a', 535), rec('b', 720), rec('a', 656)];
    const { results } = await resultsOf(session(150), records, { allowedLateness: 50 });
    expect(results).toEqual(['a [535, 685) 1', 'a [535, 806) 1+1', 'b [720, 870) 1']);
  });

  test.each([
    ['a size of 0', () => tumbling(0)],
    ['a slide of 0', () => sliding(10, 0)],
    ['a slide above the size', () => sliding(10, 11)],
    ['more windows a record than 4,096', () => sliding(5_000, 1)],
    ['a gap of 0', () => session(0)],
    ['a fraction', () => tumbling(0.5)],
    ['a negative size', () => tumbling(-1)],
  ])('%s is refused', (_name, make) => {
    expect(make).toThrow(/ERR_INVALID_(OPTION|DURATION)/);
  });
});

describe('results', () => {
  test('carry key, window and pane, and the time of the last millisecond', async () => {
    const { main } = await runOperator(
      (s: Stream<Rec>) => s.pipe(byKey, window('w', tumbling(10)), aggregate({ n: count() })),
      script([rec('a', 1)]),
    );
    expect(main).toEqual([
      {
        timestamp: 9,
        value: {
          n: 1,
          key: 'a',
          window: { start: 0, end: 10 },
          pane: { index: 0, timing: 'onTime' },
        },
      },
    ]);
  });

  test('of one window come in the order in which keys were first seen', async () => {
    const { results } = await resultsOf(tumbling(10), [rec('b', 1), rec('a', 2), rec('b', 3)]);
    expect(results).toEqual(['b [0, 10) 1+1', 'a [0, 10) 1']);
  });

  test('reduce combines pairwise', async () => {
    const { main } = await runOperator(
      (s: Stream<Rec>) =>
        s.pipe(
          byKey,
          window('w', sliding(20, 10)),
          reduce((a, b) => (a.v >= b.v ? a : b)),
        ),
      script([rec('a', 1, 5), rec('a', 11, 7), rec('a', 12, 7)]),
    );
    expect(main.map((r) => [r.value.window.end, r.value.value])).toEqual([
      [10, rec('a', 1, 5)],
      [20, rec('a', 11, 7)],
      [30, rec('a', 11, 7)],
    ]);
  });

  test('windowProcess sees all records and says any number of results', async () => {
    const { main } = await runOperator(
      (s: Stream<Rec>) =>
        s.pipe(
          byKey,
          window('w', tumbling(10)),
          windowProcess(function* (all, { key, window: w, pane }) {
            for (const { v } of all) {
              if (v > 0) yield { v, of: `${key} ${w.start} ${pane.index}` };
            }
          }),
        ),
      script([rec('a', 1, 5), rec('a', 2, 0), rec('b', 3, 0), rec('a', 4, 7)]),
    );
    expect(main.map((r) => [r.value.v, r.value.of, r.value.key])).toEqual([
      [5, 'a 0 0', 'a'],
      [7, 'a 0 0', 'a'],
    ]);
  });

  test.each<[string, () => unknown, string]>([
    ['an async function', async () => [], 'must not be async'],
    ['a rejected promise', () => Promise.reject(new Error('unlucky')), 'not async'],
  ])('windowProcess refuses %s', async (_name, fn, detail) => {
    const running = runOperator(
      (s: Stream<Rec>) =>
        s.pipe(byKey, window('w', tumbling(10)), windowProcess(fn as () => Iterable<object>)),
      script([rec('a', 1, 5)]),
    );
    await expect(running).rejects.toMatchObject({
      code: 'ERR_FUNCTION_RETURNED_PROMISE',
      operator: 'w',
      detail: expect.stringContaining(detail),
    });
  });

  test.each(['key', 'window', 'pane'])('a field may not be called %s', (name) => {
    const parts = { [name]: count() };
    expect(() => aggregate(parts)).toThrow(/ERR_INVALID_OPTION.*reserved/);
  });

  test('sessions need aggregates that merge', () => {
    const job = defineJob('no-merge', {}, (builder) => {
      const without = { ...sum((r: Rec) => r.v), merge: undefined };
      builder
        .source('in', new ManualSource<Rec>())
        .pipe(
          byKey,
          window('w', session(5)),
          aggregate({ without }),
          sinkTo('out', new RecordingSink()),
        );
    });
    expect(() => job.build()).toThrow(/ERR_INVALID_OPTION/);
  });
});

describe('late records', () => {
  const late = rec('k', 5, 9);
  const records = [rec('k', 1), rec('k', 12), late, rec('k', 13), rec('k', 30)];

  test.each<[string, WindowAssigner]>([
    ['tumbling', tumbling(10)],
    ['custom', customWindows('tens', (t) => [{ start: 0, end: (Math.floor(t / 10) + 1) * 10 }])],
    ['session', session(4)],
  ])('%s: without lateness they go to the side output', async (_name, assigner) => {
    const { late: routed } = await resultsOf(assigner, records);
    expect(routed).toEqual([late]);
  });

  test('with lateness each fires its window again, with all its records', async () => {
    const { results, late: routed } = await resultsOf(
      tumbling(10),
      [rec('k', 1), rec('k', 12), rec('k', 5, 2), rec('k', 6, 3), rec('k', 25), rec('k', 7, 4)],
      { allowedLateness: 10 },
    );
    expect(results).toEqual([
      'k [0, 10) 1',
      'k [0, 10) 1+2 #1 late',
      'k [0, 10) 1+2+3 #2 late',
      'k [10, 20) 1',
      'k [20, 30) 1',
    ]);
    expect(routed).toEqual([rec('k', 7, 4)]);
  });

  test('a late key that had no result yet begins with pane 0', async () => {
    const { results } = await resultsOf(
      tumbling(10),
      [rec('k', 1), rec('k', 12), rec('new', 5), rec('new', 6)],
      { allowedLateness: 10 },
    );
    expect(results.slice(1, 3)).toEqual(['new [0, 10) 1 #0 late', 'new [0, 10) 1+1 #1 late']);
  });

  test('a record that is late for some of its windows is in the others', async () => {
    const { results, late: routed } = await resultsOf(sliding(10, 5), [
      rec('k', 11),
      rec('k', 7, 2),
    ]);
    // Slices are merged in the order of time, so 7 comes before 11.
    expect(results).toEqual(['k [5, 15) 2+1', 'k [10, 20) 1']);
    expect(routed).toEqual([]);
  });

  test('a session that has fired and expired at one watermark is not gone on with', async () => {
    const records = [rec('a', 80), rec('b', 96), rec('a', 89)];
    const { results } = await resultsOf(session(10), records, { allowedLateness: 5 });
    expect(results).toEqual(['a [80, 90) 1', 'a [89, 99) 1', 'b [96, 106) 1']);
  });

  test('a session that bridged an older one and the latest expires without holding up others', async () => {
    const late = rec('c', 85, 9);
    const bridged = [rec('a', 0), rec('a', 25), rec('a', 10), rec('a', 18)];
    const { results, late: routed } = await resultsOf(
      session(10),
      [...bridged, rec('b', 100), rec('c', 80), rec('d', 140), late],
      { allowedLateness: 5 },
      30,
    );
    expect(routed).toEqual([late]);
    expect(results).toContain('c [80, 90) 1');
  });

  test('custom windows that end together count their panes apart', async () => {
    const tens = customWindows('tens', (t) => {
      const start = Math.floor(t / 10) * 10;
      return [
        { start, end: start + 10 },
        { start: start - 10, end: start + 10 },
      ];
    });
    const records = [rec('k', 1), rec('k', 12), rec('k', 2, 2)];
    const { results } = await resultsOf(tens, records, { allowedLateness: 10 });
    expect(results.slice(2, 4)).toEqual(['k [-10, 10) 1+2 #1 late', 'k [0, 10) 1+2 #1 late']);
  });
});

describe('a result function that throws', () => {
  const job = (onError: OnError, allowedLateness = 0) =>
    defineJob('throws', {}, (builder) => {
      const out = builder
        .source(
          'in',
          new ManualSource<Rec>(),
          watermarks((r: Rec) => r.at, { step: 1, farFuture: 'off' }),
        )
        .pipe(
          byKey,
          window('w', tumbling(10), { onError, allowedLateness }),
          windowProcess((all, { key }) => {
            if (all.some(({ v }) => v === 13)) throw new RangeError('unlucky');
            return [{ text: `${key} ${all.length}` }];
          }),
        );
      out.pipe(sinkTo('out', new RecordingSink()));
      if (onError === 'deadLetter') {
        out.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()));
      }
    });
  const texts = (values: readonly unknown[]) => values.map((r) => (r as { text: string }).text);

  test('fail: the error names the operator', async () => {
    const driver = await driveJob(job('fail'));
    await driver.send('in', [rec('a', 1, 13)]);
    await expect(driver.finish()).rejects.toMatchObject({
      code: 'ERR_FUNCTION_THREW',
      operator: 'w',
    });
  });

  test('skip: the other keys and windows have their results', async () => {
    const driver = await driveJob(job('skip'));
    await driver.send('in', [rec('a', 1), rec('b', 2, 13), rec('c', 3), rec('b', 14)]);
    await driver.finish();
    expect(texts(driver.values('out'))).toEqual(['a 1', 'c 1', 'b 1']);
  });

  test('deadLetter: one letter for the result that is missing', async () => {
    const driver = await driveJob(job('deadLetter'));
    await driver.send('in', [rec('a', 1), rec('b', 2, 13)]);
    await driver.finish();
    expect(texts(driver.values('out'))).toEqual(['a 1']);
    expect(driver.values('dead')).toMatchObject([{ operator: 'w' }]);
  });

  test.each(['on', 'off'] as const)(
    'skip at a late record: the records behind it are taken once, codegen %s',
    async (codegen) => {
      const driver = await driveJob(job('skip', 20), { codegen });
      const rest = [rec('a', 15), rec('a', 2, 13), rec('c', 16), rec('c', 17)];
      await driver.send('in', [rec('a', 1), ...rest]);
      await driver.finish();
      expect(texts(driver.values('out'))).toEqual(['a 1', 'a 1', 'c 2']);
    },
  );
});
