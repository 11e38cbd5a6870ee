import type { KeyedStream, Stream } from '@millrace/core';
import {
  aggregate,
  aggregator,
  count,
  customWindows,
  keyBy,
  session,
  sliding,
  sum,
  tumbling,
  type WindowAssigner,
  window,
} from '@millrace/operators';
import { runOperator } from '@millrace/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Expected, type ModelAssigner, type Rec, WindowModel } from './window-model.js';

/** An aggregate without merge: it forces a table for each window. */
const sumWithoutMerge = aggregator<Rec, number, number>({
  create: () => 0,
  add: (total, { v }) => total + v,
  result: (total) => total,
});

const scripts = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 2 }),
    at: fc.integer({ min: -30, max: 60 }),
    v: fc.nat(9),
  }),
  { maxLength: 40 },
);

/** Scripts that found a defect once, and that few random ones are like. */
const examples: [Rec[]][] = [
  // A session that fires and expires at one watermark, then a record that touches it.
  [
    [
      { key: 0, at: 0, v: 1 },
      { key: 1, at: 16, v: 1 },
      { key: 0, at: 3, v: 1 },
    ],
  ],
];

interface Shape {
  readonly name: string;
  readonly assigner: WindowAssigner;
  readonly model: ModelAssigner;
}

const aligned = (size: number, slide: number, offset = 0): ModelAssigner => ({
  kind: 'aligned',
  size,
  slide,
  offset,
});

const shapes: readonly Shape[] = [
  { name: 'tumbling', assigner: tumbling(10), model: aligned(10, 10) },
  {
    name: 'tumbling with an offset',
    assigner: tumbling(10, { offset: 3 }),
    model: aligned(10, 10, 3),
  },
  { name: 'sliding by a divisor', assigner: sliding(12, 4), model: aligned(12, 4) },
  { name: 'sliding by no divisor', assigner: sliding(10, 4), model: aligned(10, 4) },
  {
    name: 'sliding in more slices than are shared',
    assigner: sliding(70, 1),
    model: aligned(70, 1),
  },
  { name: 'session', assigner: session(5), model: { kind: 'session', gap: 5 } },
  {
    name: 'custom',
    assigner: customWindows('tens', (t) => {
      const start = Math.floor(t / 10) * 10;
      return [{ start, end: start + 10 }];
    }),
    model: aligned(10, 10),
  },
];

function modelOf(
  shape: Shape,
  records: readonly Rec[],
  bound: number,
  lateness: number,
): WindowModel {
  const model = new WindowModel(shape.model, bound, lateness);
  for (const record of records) model.add(record);
  model.advance(Infinity);
  return model;
}

const piece = (shape: Shape, lateness: number, mergeable: boolean) => (input: Stream<Rec>) => {
  const keyed = input.pipe(keyBy((r) => r.key)) as KeyedStream<Rec, number>;
  const windowed = window<Rec, number>('w', shape.assigner, { allowedLateness: lateness });
  return keyed.pipe(
    windowed,
    aggregate({ n: count(), sum: mergeable ? sum((r: Rec) => r.v) : sumWithoutMerge }),
  );
};

const text = (e: Expected): string =>
  `${e.key} [${e.start},${e.end}) n=${e.n} sum=${e.sum} pane ${e.pane} ${e.timing}`;

describe.each(shapes)('$name windows agree with a naive model', (shape) => {
  test.each([
    { bound: 0, lateness: 0, mergeable: true },
    { bound: 7, lateness: 0, mergeable: true },
    { bound: 3, lateness: 6, mergeable: true },
    { bound: 3, lateness: 6, mergeable: false },
  ])('bound $bound, lateness $lateness, mergeable $mergeable', async (options) => {
    const { bound, lateness, mergeable } = options;
    // Sessions need merging aggregates.
    if (!mergeable && shape.model.kind === 'session') return;
    await fc.assert(
      fc.asyncProperty(scripts, async (records) => {
        const model = modelOf(shape, records, bound, lateness);
        const { main, sides } = await runOperator(
          piece(shape, lateness, mergeable),
          records.map((record) => ({ record, at: record.at })),
          { outOfOrdernessMs: bound, sides: ['late'] },
        );
        const results = main.map(({ value: { key, window: w, n, sum: total, pane } }) =>
          text({
            key,
            start: w.start,
            end: w.end,
            n,
            sum: total,
            pane: pane.index,
            timing: pane.timing,
          }),
        );
        expect(results.sort()).toEqual(model.results.map(text).sort());
        expect(sides.late!.map(({ value }) => value)).toEqual(model.late);
      }),
      { numRuns: 25, seed: 7, examples },
    );
  });
});
