import { defineJob, type OnError, watermarks } from '@millrace/core';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  customWindows,
  keyBy,
  reduce,
  session,
  sinkTo,
  sliding,
  tumbling,
  type WindowAssigner,
  type WindowInfo,
  window,
  windowProcess,
} from '../index.js';

interface Rec {
  readonly key: string;
  readonly at: number;
  readonly v: number;
}

const rec = (key: string, at: number, v = 1): Rec => ({ key, at, v });
const unlucky = 13;

type Process = (all: readonly Rec[], info: WindowInfo<string>) => Iterable<{ text: string }>;

const textOf = (all: readonly Rec[], { key, window: w, pane }: WindowInfo<string>): string =>
  `${key} [${w.start}, ${w.end}) ${all.map(({ v }) => v).join('+')} ${pane.timing} ${pane.index}`;

/** Gives one row, then throws at the unlucky record, then gives another one. */
function* halfway(all: readonly Rec[], info: WindowInfo<string>): Generator<{ text: string }> {
  yield { text: textOf(all, info) };
  if (all.some(({ v }) => v === unlucky)) throw new RangeError('unlucky');
  yield { text: 'end' };
}

const tens: WindowAssigner = customWindows('tens', (t) => {
  const start = Math.floor(t / 10) * 10;
  return [
    { start, end: start + 10 },
    { start: start - 10, end: start + 10 },
  ];
});

const assigners: readonly (readonly [string, WindowAssigner])[] = [
  ['tumbling', tumbling(10)],
  ['sliding', sliding(10, 5)],
  ['custom', tens],
  ['session', session(4)],
];
const cases = assigners.flatMap(([name, assigner]) =>
  (['on', 'off'] as const).map((codegen) => ({ name, assigner, codegen })),
);

interface Run {
  readonly assigner: WindowAssigner;
  readonly codegen: 'on' | 'off';
  readonly onError: OnError;
  readonly process: Process;
  readonly records: readonly Rec[];
}

async function textsOf({ assigner, codegen, onError, process, records }: Run) {
  const job = defineJob('panes', {}, (builder) => {
    const time = watermarks((r: Rec) => r.at, { step: 1, farFuture: 'off' });
    const out = builder.source('in', new ManualSource<Rec>(), time).pipe(
      keyBy((r) => r.key),
      window('w', assigner, { onError, allowedLateness: 30 }),
      windowProcess(process),
    );
    out.pipe(sinkTo('out', new RecordingSink()));
    if (onError === 'deadLetter') out.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()));
  });
  const driver = await driveJob(job, { codegen });
  await driver.send('in', records);
  await driver.finish();
  const dead = onError === 'deadLetter' ? driver.values('dead') : [];
  return { texts: driver.values('out').map((row) => (row as { text: string }).text), dead };
}

/** Records in order, among which some come that are late for all of their windows. */
const lateRecords = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b'),
      // Beyond the gap of sessions: none is so long that a late record is in time for it.
      step: fc.constantFrom(0, 5, 9),
      back: fc.constantFrom(0, 0, 0, 21, 24, 28, 33, 47),
      bad: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let now = 0;
    const records = steps.map(({ key, step, back, bad }, n) => {
      if (back === 0) now += step;
      return rec(key, now - back, bad && back > 0 ? unlucky : n + 100);
    });
    return [rec('first', 0), ...records];
  });

describe.each(cases)('a late pane that fails: $name, codegen $codegen', ({ assigner, codegen }) => {
  const run = (records: readonly Rec[], onError: OnError, process: Process = halfway) =>
    textsOf({ assigner, codegen, onError, process, records });

  test.each(['skip', 'deadLetter'] as const)('%s: its record leaves no trace', async (onError) => {
    const isBad = ({ v }: Rec): boolean => v === unlucky;
    await fc.assert(
      fc.asyncProperty(lateRecords, async (records) => {
        const { texts, dead } = await run(records, onError);
        const without = await run(
          records.filter((record) => !isBad(record)),
          onError,
        );
        expect(texts).toEqual(without.texts);
        expect(dead.length).toBeLessThanOrEqual(records.filter(isBad).length);
      }),
      { numRuns: 40 },
    );
  });

  test('retry: its record is in the window once', async () => {
    const records = [rec('a', 1), rec('a', 25), rec('a', 2, 2), rec('a', 3, 3), rec('a', 80)];
    let failures = 0;
    const flaky: Process = (all, info) => {
      if (info.pane.timing === 'late' && failures < 2) {
        failures += 1;
        throw new RangeError('not yet');
      }
      return [{ text: textOf(all, info) }];
    };
    const { texts } = await run(records, { action: 'retry', attempts: 3 }, flaky);
    expect(failures).toBe(2);
    const steady = await run(records, 'fail', (all, info) => [{ text: textOf(all, info) }]);
    expect(texts).toEqual(steady.texts);
  });

  test('an on-time window that fails halfway gives nothing', async () => {
    const { texts } = await run([rec('a', 1), rec('b', 2, unlucky), rec('c', 3)], 'skip');
    expect(texts.filter((text) => text.startsWith('b'))).toEqual([]);
    expect(texts.filter((text) => text.startsWith('a')).length).toBeGreaterThan(0);
    expect(texts.filter((text) => text.startsWith('c')).length).toBeGreaterThan(0);
  });
});

test.each([
  ['sliding', 'on', sliding(10, 5)],
  ['sliding', 'off', sliding(10, 5)],
  ['custom', 'on', tens],
  ['custom', 'off', tens],
] as const)(
  '%s, codegen %s: a record that fails in its last window is in none',
  async (_name, codegen, assigner) => {
    // Of both kinds the first window begins 5 or 10 ahead of the last one.
    const inTheLast: Process = (all, info) => {
      const bad = all.some(({ v, at }) => v === unlucky && at - info.window.start < 5);
      if (bad && info.pane.timing === 'late') throw new RangeError('unlucky');
      return [{ text: textOf(all, info) }];
    };
    const good = [rec('a', 1), rec('a', 30), rec('a', 2, 3), rec('a', 60)];
    const records = [...good.slice(0, 2), rec('a', 3, unlucky), ...good.slice(2)];
    const run = { assigner, codegen, onError: 'skip', process: inTheLast } as const;
    const { texts } = await textsOf({ ...run, records });
    const without = await textsOf({ ...run, records: good });
    expect(texts).toEqual(without.texts);
  },
);

describe.each(['on', 'off'] as const)('slices that cannot be merged, codegen %s', (codegen) => {
  // In [0, 10) the slices of `b` come to 13.
  const records = [rec('a', 1), rec('b', 2, 10), rec('c', 3), rec('b', 7, 3), rec('a', 8, 5)];

  async function sums(onError: OnError, failuresMax = Infinity) {
    let failures = 0;
    const combine = (x: Rec, y: Rec): Rec => {
      if (x.v + y.v === unlucky && failures < failuresMax) {
        failures += 1;
        throw new RangeError('unlucky');
      }
      return { ...x, v: x.v + y.v };
    };
    const job = defineJob('merges', {}, (builder) => {
      const time = watermarks((r: Rec) => r.at, { outOfOrderness: 10, farFuture: 'off' });
      const out = builder.source('in', new ManualSource<Rec>(), time).pipe(
        keyBy((r) => r.key),
        window('w', sliding(10, 5), { onError }),
        reduce(combine),
      );
      out.pipe(sinkTo('out', new RecordingSink()));
      if (onError === 'deadLetter') out.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()));
    });
    const driver = await driveJob(job, { codegen });
    await driver.send('in', records);
    await driver.finish();
    const rows = driver.values('out') as { key: string; window: { start: number }; value: Rec }[];
    const dead = onError === 'deadLetter' ? driver.values('dead') : [];
    return { sums: rows.map((r) => `${r.key} ${r.window.start} ${r.value.v}`), dead };
  }
  const all = ['a -5 1', 'b -5 10', 'c -5 1', 'a 0 6', 'b 0 13', 'c 0 1', 'b 5 3', 'a 5 5'];
  const others = all.filter((sum) => sum !== 'b 0 13');

  test('fail: the error is the function’s', async () => {
    await expect(sums('fail')).rejects.toMatchObject({
      code: 'ERR_FUNCTION_THREW',
      operator: 'w',
    });
  });

  test('skip and deadLetter: the other keys have their results', async () => {
    expect((await sums('skip')).sums.sort()).toEqual(others.sort());
    const { sums: rest, dead } = await sums('deadLetter');
    expect(rest.sort()).toEqual(others.sort());
    expect(dead).toMatchObject([{ operator: 'w', key: 'b', timestamp: 9 }]);
  });

  test('retry: merged again', async () => {
    expect((await sums({ action: 'retry', attempts: 4 }, 3)).sums.sort()).toEqual(all.sort());
    const spent = sums({ action: 'retry', attempts: 3, otherwise: 'skip' });
    expect((await spent).sums.sort()).toEqual(others.sort());
  });
});
