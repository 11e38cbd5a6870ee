import type { Stream } from '@millrace/core';
import type { AccumulatorCells, Aggregator, AggregatorNames } from '@millrace/core/spi';
import { runOperator } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  aggregator,
  average,
  collect,
  count,
  distinctCount,
  keyBy,
  max,
  maxBy,
  min,
  minBy,
  sliding,
  sum,
  tumbling,
  window,
} from '../index.js';

/** The value, and where it came in the input: ties are told apart by it. */
interface Rec {
  readonly v: number;
  readonly i: number;
}
type AnyAggregator = Aggregator<Rec, unknown>;

const value = (r: Rec): number => r.v;
const records = (values: readonly number[]): readonly Rec[] => values.map((v, i) => ({ v, i }));
const at = (all: readonly Rec[], ...indices: readonly number[]) => indices.map((i) => all[i]);

/** One with accumulators that are changed in place. */
const texts = aggregator<Rec, string[], string>({
  create: () => [],
  add: (all, r) => {
    all.push(String(r.v));
    return all;
  },
  merge: (into, from) => {
    into.push(...from);
    return into;
  },
  result: (all) => all.join(' '),
});

/** What each aggregator gives, said in the plainest way. */
const table: readonly {
  readonly name: string;
  readonly of: AnyAggregator;
  readonly model: (all: readonly Rec[]) => unknown;
}[] = [
  { name: 'count', of: count(), model: (all) => all.length },
  { name: 'sum', of: sum(value), model: (all) => all.reduce((s, r) => s + r.v, 0) },
  { name: 'min', of: min(value), model: (all) => Math.min(...all.map(value)) },
  { name: 'max', of: max(value), model: (all) => Math.max(...all.map(value)) },
  {
    name: 'average',
    of: average(value),
    model: (all) => all.reduce((s, r) => s + r.v, 0) / all.length,
  },
  { name: 'maxBy', of: maxBy(value), model: (all) => bestOf(all, (a, b) => a > b)[0] },
  { name: 'minBy', of: minBy(value), model: (all) => bestOf(all, (a, b) => a < b)[0] },
  {
    name: 'maxBy, all ties',
    of: maxBy(value, { ties: 'all' }),
    model: (all) => bestOf(all, (a, b) => a > b),
  },
  {
    name: 'minBy, all ties',
    of: minBy(value, { ties: 'all' }),
    model: (all) => bestOf(all, (a, b) => a < b),
  },
  {
    name: 'distinctCount',
    of: distinctCount(value),
    model: (all) => new Set(all.map(value)).size,
  },
  { name: 'collect', of: collect(value), model: (all) => all.map(value) },
  { name: 'custom', of: texts, model: (all) => all.map((r) => String(r.v)).join(' ') },
];

/** All records with the best value, in order; NaN is no value, unless there is no other. */
function bestOf(
  all: readonly Rec[],
  better: (a: number, b: number) => boolean,
): readonly (Rec | undefined)[] {
  const valued = all.filter((r) => !Number.isNaN(r.v));
  const [first] = valued;
  if (first === undefined) return [];
  const best = valued.reduce((b, r) => (better(r.v, b) ? r.v : b), first.v);
  return valued.filter((r) => r.v === best);
}

const inputs: readonly (readonly [string, readonly number[]])[] = [
  ['one', [5]],
  ['rising', [1, 2, 3, 4]],
  ['falling', [4, 3, 2, 1]],
  ['ties', [2, 7, 7, 2, 7, 2]],
  ['negative numbers', [-3, -1, -2, -1]],
  ['zeros of both signs', [0, -0, 0, -0]],
  ['−0 alone', [-0]],
  ['Infinity', [1, Infinity, -Infinity, 2]],
  ['−Infinity alone', [-Infinity, -Infinity]],
  ['Infinity alone', [Infinity, Infinity]],
  ['NaN in between', [1, Number.NaN, 3, 2]],
  ['NaN first', [Number.NaN, 1, 3]],
  ['numbers above 2^53', [2 ** 53, 2 ** 54, 1]],
];

/** Each split of an input in two parts, empty ones included. */
const splitsOf = (all: readonly Rec[]) =>
  all.concat(all.slice(0, 1)).map((_r, at) => [all.slice(0, at), all.slice(at)] as const);

/** An accumulator run by the plain functions. */
function plain(of: AnyAggregator) {
  const create = (): AccumulatorCells => ({
    numbers: Float64Array.from([-1, ...of.numbers]),
    n: 1,
    refs: ['other', ...of.refs.map((make) => make())],
    r: 1,
  });
  const fold = (all: readonly Rec[]): AccumulatorCells => {
    const cells = create();
    for (const r of all) of.plain.add(cells, inputsOf(of, r));
    return cells;
  };
  return {
    fold,
    merge: (into: AccumulatorCells, from: AccumulatorCells) => of.plain.merge!(into, from),
    result: (cells: AccumulatorCells) => of.plain.result(cells),
  };
}

const inputsOf = ({ inputs: own }: AnyAggregator, r: Rec): readonly unknown[] =>
  own.map(({ extract }) => (extract === undefined ? r : extract(r)));

/** The same by its texts, as generated code has them. */
function generated(of: AnyAggregator) {
  const names = (cells: string): AggregatorNames => ({
    number: (i) => `${cells}.numbers[${cells}.n + ${i}]`,
    ref: (j) => `${cells}.refs[${cells}.r + ${j}]`,
    input: (k) => `inputs[${k}]`,
    fn: (name) => `fns.${name}`,
    prepared: 'prepared',
  });
  const { prepare, commit } = of.add(names('a'));
  const merge = of.merge?.(names('a'), names('b')) ?? '';
  const make = new Function(
    'fns',
    `return {
      add(a, inputs) { ${prepare === undefined ? '' : `const prepared = ${prepare};`} ${commit} },
      merge(a, b) { ${merge} },
      result(a) { return ${of.result(names('a'))}; },
    };`,
  ) as (fns: unknown) => {
    add(a: AccumulatorCells, inputs: readonly unknown[]): void;
    merge(a: AccumulatorCells, b: AccumulatorCells): void;
    result(a: AccumulatorCells): unknown;
  };
  const code = make(of.functions);
  const { fold: emptyFold } = plain(of);
  const fold = (all: readonly Rec[]): AccumulatorCells => {
    const cells = emptyFold([]);
    for (const r of all) code.add(cells, inputsOf(of, r));
    return cells;
  };
  return { fold, merge: code.merge, result: code.result };
}

describe.each(table)('$name', ({ of, model }) => {
  describe.each([
    ['plain', plain(of)],
    ['generated', generated(of)],
  ] as const)('%s', (_form, form) => {
    test.each(inputs)('of %s', (_name, values) => {
      const all = records(values);
      expect(form.result(form.fold(all))).toEqual(model(all));
    });

    test.each(inputs)('merged from two parts of %s, whatever the cut', (_name, values) => {
      const all = records(values);
      for (const [left, right] of splitsOf(all)) {
        const into = form.fold(left);
        const from = form.fold(right);
        const kept = form.result(from);
        form.merge(into, from);
        expect(form.result(into)).toEqual(model(all));
        // Slices are merged into many windows: merging leaves what is merged as it was.
        expect(form.result(from)).toEqual(kept);
      }
    });

    test('a result does not change when the accumulator goes on', () => {
      const cells = form.fold(records([1, 2]));
      const result = form.result(cells);
      const copy = structuredClone(result);
      of.plain.add(cells, inputsOf(of, { v: 2, i: 9 }));
      expect(result).toEqual(copy);
    });
  });
});

describe('of no records', () => {
  test.each([
    ['count', count(), 0],
    ['sum', sum(value), 0],
    ['average', average(value), Number.NaN],
    ['min', min(value), Infinity],
    ['max', max(value), -Infinity],
    ['maxBy', maxBy(value), undefined],
    ['maxBy, all ties', maxBy(value, { ties: 'all' }), []],
    ['distinctCount', distinctCount(value), 0],
    ['collect', collect(value), []],
  ] as const)('%s', (_name, of, expected) => {
    const forms = [plain(of as AnyAggregator), generated(of as AnyAggregator)];
    for (const form of forms) expect(form.result(form.fold([]))).toEqual(expected);
  });
});

describe('in windows', () => {
  const parts = Object.fromEntries(table.map(({ name, of }) => [name, of]));
  const run = async (assigner: ReturnType<typeof tumbling>, values: readonly number[]) => {
    const { main } = await runOperator(
      (s: Stream<Rec>) =>
        s.pipe(
          keyBy(() => 'k'),
          window('w', assigner),
          aggregate(parts as Record<string, AnyAggregator>),
        ),
      records(values).map((record) => ({ record, at: record.i * 10 })),
    );
    return main.map((r) => r.value as Record<string, unknown> & { window: { end: number } });
  };

  test.each(inputs)('all side by side: %s', async (_name, values) => {
    const [result] = await run(tumbling(1_000), values);
    for (const { name, model } of table) expect(result![name]).toEqual(model(records(values)));
  });

  test.each(inputs)('in shared slices: %s', async (_name, values) => {
    const all = records(values);
    for (const result of await run(sliding(30, 10), values)) {
      const { end } = result.window;
      const inWindow = all.filter(({ i }) => i * 10 < end && i * 10 >= end - 30);
      for (const { name, model } of table) expect(result[name]).toEqual(model(inWindow));
    }
  });

  test('ties: the first to arrive, or all in the order of arrival', async () => {
    const all = records([2, 7, 7]);
    const [result] = await run(tumbling(1_000), [2, 7, 7]);
    expect(result).toMatchObject({ maxBy: all[1], 'maxBy, all ties': at(all, 1, 2) });
  });
});
