import { defineJob, type Stream } from '@millrace/core';
import type { Aggregator, OperatorFactory } from '@millrace/core/spi';
import { ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  aggregator,
  average,
  collect,
  count,
  customWindows,
  keyBy,
  maxBy,
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

const byKey = keyBy((_n: number) => 'k');
const value = (n: number): number => n;

function jobOf(piece: (input: Stream<number>) => Stream<unknown>) {
  const job = defineJob('phases', {}, (builder) => {
    const out = piece(builder.source('in', new ManualSource<number>()));
    (out as ReturnType<typeof reduced>).pipe(sinkTo('out', new RecordingSink<unknown>()));
  });
  const { graph, functions } = job.build();
  const factory = functions.nodes.get('w') as OperatorFactory;
  return { settings: graph.nodes.find(({ id }) => id === 'w')!.settings, phases: factory.phases };
}

const reduced = (input: Stream<number>) =>
  input.pipe(
    byKey,
    window('w', tumbling(10)),
    reduce((a, b) => a + b),
  );

const aggregated =
  (
    parts: Readonly<Record<string, Aggregator<number, unknown>>>,
    assigner: WindowAssigner = tumbling(10),
    options: WindowOptions = {},
  ) =>
  (input: Stream<number>) =>
    input.pipe(byKey, window('w', assigner, options), aggregate(parts));

const unmerged = aggregator<number, number, number>({
  create: () => 0,
  add: (a, b) => a + b,
  result: (a) => a,
});

describe('rows between the phases', () => {
  test.each([
    ['numbers', aggregated({ n: count(), mean: average(value) }), ['number', 4]],
    ['numbers, then objects', aggregated({ top: maxBy(value), all: collect() }), ['any', 4]],
    ['what reduce combines', reduced, ['any', 2]],
    ['the last timestamp of a session', aggregated({ n: count() }, session(10)), ['number', 3]],
  ] as const)('have the number of records, then %s', (_name, piece, [last, length]) => {
    const { columns } = jobOf(piece).phases!;
    expect([columns[0], columns.at(-1), columns.length]).toEqual(['number', last, length]);
  });
});

describe('a window is not divided', () => {
  test.each([
    ['with aggregators that do not merge', aggregated({ unmerged })],
    [
      'when it is custom',
      aggregated(
        { n: count() },
        customWindows('none', () => []),
      ),
    ],
    [
      'when late records fire again',
      aggregated({ n: count() }, tumbling(10), { allowedLateness: 1 }),
    ],
    ['in more slices than are shared', aggregated({ n: count() }, sliding(70, 1))],
    ['when told so', aggregated({ n: count() }, tumbling(10), { preAggregate: 'off' })],
    [
      'where all records are needed',
      (input: Stream<number>) =>
        input.pipe(
          byKey,
          window('w', tumbling(10)),
          windowProcess((all) => [{ n: all.length }]),
        ),
    ],
  ] as const)('%s', (_name, piece) => {
    expect(jobOf(piece).phases).toBeUndefined();
  });
});

test('the option is among the settings when it is off', () => {
  const settingsOf = (preAggregate?: 'on' | 'off') =>
    jobOf(aggregated({ s: sum(value) }, tumbling(10), { preAggregate })).settings;
  expect(settingsOf('off')).toMatchObject({ preAggregate: 'off' });
  expect(settingsOf('on')).toEqual(settingsOf());
  expect(settingsOf()).not.toHaveProperty('preAggregate');
});
