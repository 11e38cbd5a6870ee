import type { OperatorFactory } from '@millrace/core/spi';
import {
  aggregator,
  average,
  collect,
  count,
  distinctCount,
  max,
  maxBy,
  min,
  minBy,
  session,
  sliding,
  sum,
  tumbling,
  type WindowAssigner,
} from '@millrace/operators';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  contextOf,
  type LocalLimits,
  type Parts,
  PlainState,
  type Rec,
  windowFactory,
} from './two-phase-rig.js';
import { type Outcome, type RunOptions, TwoPhaseRun } from './two-phase-run.js';
import { type ModelAssigner, WindowModel } from './window-model.js';

const v = (r: Rec): number => r.v;

/** With an accumulator that is changed in place, and a merge that takes over what it is given. */
const texts = aggregator<Rec, string[] | undefined, readonly string[]>({
  create: () => undefined,
  add: (all, r) => {
    if (all === undefined) return [String(r.v)];
    all.push(String(r.v));
    return all;
  },
  merge: (into, from) => {
    if (into === undefined) return from?.slice();
    into.push(...(from ?? []));
    return into;
  },
  result: (all) => [...(all ?? [])],
});

const numbers: Parts = { n: count(), sum: sum(v), min: min(v), max: max(v), average: average(v) };
const objects: Parts = {
  best: maxBy(v),
  worst: minBy(v),
  bests: maxBy(v, { ties: 'all' }),
  worsts: minBy(v, { ties: 'all' }),
  distinct: distinctCount(v),
  all: collect(),
  texts,
};
const everything: Parts = { ...numbers, ...objects };

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
  {
    name: 'sliding by no divisor',
    assigner: sliding(10, 4, { offset: 1 }),
    model: aligned(10, 4, 1),
  },
  { name: 'session', assigner: session(5), model: { kind: 'session', gap: 5 } },
  { name: 'long session', assigner: session(20), model: { kind: 'session', gap: 20 } },
];

type Step =
  | { readonly local: number; readonly does: 'records'; readonly records: readonly Rec[] }
  | { readonly local: number; readonly does: 'watermark'; readonly afterMs: number }
  | { readonly local: number; readonly does: 'barrier' };

const record = fc.record({
  key: fc.oneof(fc.nat(3), fc.constantFrom('a', 'b')),
  at: fc.integer({ min: -30, max: 60 }),
  v: fc.nat(5),
});
const local = fc.nat(2);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        local,
        does: fc.constant('records' as const),
        records: fc.array(record, { maxLength: 12 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        local,
        does: fc.constant('watermark' as const),
        afterMs: fc.nat(25),
      }),
    },
    { weight: 1, arbitrary: fc.record({ local, does: fc.constant('barrier' as const) }) },
  ),
  { maxLength: 25 },
);

const usual: LocalLimits = {
  localRowsMax: 1_000,
  localRecordsMax: 1_000,
  reductionRecordsMin: 1,
  reductionRowsShare: Infinity,
  passRecords: 1,
};

/** What a local phase does that must not matter. */
const ways: readonly (readonly [string, LocalLimits])[] = [
  ['holds all', usual],
  ['holds three rows', { ...usual, localRowsMax: 3, localRecordsMax: 7 }],
  ['passes all', { ...usual, localRowsMax: 1, reductionRowsShare: 0, passRecords: Infinity }],
  ['passes some', { ...usual, localRowsMax: 4, reductionRowsShare: 0.6, passRecords: 5 }],
];

/** Runs a script; what is given out comes to the final phase at once. */
async function promptly(
  factory: OperatorFactory,
  script: readonly Step[],
  options: RunOptions,
  goOn?: { readonly factory: OperatorFactory; readonly at: number },
): Promise<Outcome> {
  const run = await TwoPhaseRun.open(factory, options);
  for (const [i, step] of script.entries()) {
    if (goOn?.at === i) await run.goOnWith(goOn.factory);
    const at = step.local % options.locals;
    if (step.does === 'records') run.take(at, step.records);
    else if (step.does === 'barrier') run.barrier(at);
    else run.advance(at, run.watermarkOf(at) + step.afterMs);
    run.deliver(at);
  }
  run.end();
  for (let at = 0; at < options.locals; at += 1) run.deliver(at);
  return run.outcome();
}

const byText = (list: readonly unknown[]): readonly unknown[] =>
  list.map((value) => JSON.stringify(value)).sort();

/** Results without what the order of arrival decides. */
const unordered = ({ results, late }: Outcome): unknown => ({
  late,
  results: byText(
    results.map((result) =>
      Object.entries(result).map(([name, value]) => {
        if (Array.isArray(value)) return [name, byText(value)];
        return [name, name === 'best' || name === 'worst' ? (value as Rec).v : value];
      }),
    ),
  ),
});

const inOrderOfWindows = ({ results, late }: Outcome): unknown => ({
  late,
  results: byText(results),
});

describe.each(shapes)('$name windows in two phases', ({ assigner, model }) => {
  describe.each(ways)('where the local phase %s', (_name, limits) => {
    const factory = windowFactory(assigner, everything);
    const undivided = windowFactory(assigner, everything, { preAggregate: 'off' });
    test.each(['on', 'off'] as const)(
      'give what the undivided operator gives, codegen %s',
      async (codegen) => {
        await fc.assert(
          fc.asyncProperty(
            steps,
            fc.integer({ min: 1, max: 3 }),
            fc.integer({ min: 1, max: 5 }),
            async (script, locals, room) => {
              const options = { parts: everything, locals, limits, codegen, room };
              const found = await promptly(factory, script, options);
              const expected = await promptly(undivided, script, options);
              expect(unordered(found)).toEqual(unordered(expected));
              if (locals === 1 && model.kind === 'aligned') {
                expect(inOrderOfWindows(found)).toEqual(inOrderOfWindows(expected));
              }
            },
          ),
          { numRuns: 40, seed: 11 },
        );
      },
    );

    test.each(['on', 'off'] as const)(
      'agree with a naive model, however late rows arrive, codegen %s',
      async (codegen) => {
        const choices = fc.array(fc.nat(5), { maxLength: 60 });
        const own = windowFactory(assigner, numbers);
        await fc.assert(
          fc.asyncProperty(steps, choices, async (script, order) => {
            const options = { parts: numbers, locals: 3, limits, codegen, room: 3 };
            const naive = new WindowModel(model, Infinity, 0);
            const run = await TwoPhaseRun.open(own, options);
            for (const [i, step] of script.entries()) {
              const at = step.local;
              if (step.does === 'records') {
                // Nothing is behind its own subtask's watermark, so nothing is late.
                const earliest = run.watermarkOf(at);
                const records = step.records.map((r) => ({ ...r, at: Math.max(r.at, earliest) }));
                for (const r of records) naive.add(r as never);
                run.take(at, records);
              } else if (step.does === 'barrier') run.barrier(at);
              else run.advance(at, run.watermarkOf(at) + step.afterMs);
              run.deliver((order[i % order.length] ?? 0) % 3, 'one');
            }
            run.end();
            for (const at of order) run.deliver(at % 3, 'one');
            for (const at of [2, 0, 1]) run.deliver(at);
            naive.advance(Infinity);
            const { results, late } = run.outcome();
            expect(late).toBe(0);
            const found = results.map(({ key, window: w, n, sum: s }) => {
              const { start, end } = w as { start: number; end: number };
              return { key, start, end, n, s };
            });
            const expected = naive.results.map(({ key, start, end, n, sum: s }) => {
              return { key, start, end, n, s };
            });
            expect(byText(found)).toEqual(byText(expected));
          }),
          { numRuns: 40, seed: 12 },
        );
      },
    );
  });

  test.each(['divided', 'undivided'] as const)(
    'go on from a checkpoint of the other form, %s first',
    async (form) => {
      const divided = windowFactory(assigner, everything);
      const undivided = windowFactory(assigner, everything, { preAggregate: 'off' });
      const [before, after] = form === 'divided' ? [divided, undivided] : [undivided, divided];
      await fc.assert(
        fc.asyncProperty(steps, fc.nat(20), async (script, at) => {
          const options = {
            parts: everything,
            locals: 2,
            limits: usual,
            codegen: 'on',
            room: 3,
          } as const;
          const found = await promptly(before, script, options, { factory: after, at });
          const expected = await promptly(undivided, script, options);
          expect(unordered(found)).toEqual(unordered(expected));
        }),
        { numRuns: 40, seed: 13 },
      );
    },
  );

  test('have state of the same shape as the undivided operator', () => {
    const specsOf = (form: 'divided' | 'undivided'): unknown => {
      const { create, phases } = windowFactory(assigner, everything);
      const state = new PlainState();
      const context = contextOf({ codegen: 'on', state, counters: new Map(), columns: [] });
      if (form === 'divided') phases!.createFinal(context);
      else create(context);
      return [...state.specs].map(([name, spec]) => ({ name, ...spec, refs: spec.refs.length }));
    };
    expect(specsOf('divided')).toEqual(specsOf('undivided'));
  });
});
