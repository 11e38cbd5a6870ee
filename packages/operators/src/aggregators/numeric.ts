import type { Aggregator, AggregatorNames } from '@millrace/core/spi';

type NumberOf<T> = (record: T) => number;

interface NumericRules {
  readonly type: string;
  readonly initial: readonly number[];
  readonly add: (n: AggregatorNames) => string;
  readonly merge: (into: AggregatorNames, from: AggregatorNames) => string;
  readonly result: (n: AggregatorNames) => string;
  readonly plainAdd: (cells: Float64Array, n: number, input: number) => void;
  readonly plainMerge: (into: Float64Array, n: number, from: Float64Array, m: number) => void;
  readonly plainResult: (cells: Float64Array, n: number) => number;
}

function numeric<T>(extract: NumberOf<T> | undefined, rules: NumericRules): Aggregator<T, number> {
  return {
    type: rules.type,
    inputs: extract === undefined ? [] : [{ extract, type: 'number' }],
    numbers: rules.initial,
    refs: [],
    functions: {},
    add: (names) => ({ commit: rules.add(names) }),
    merge: rules.merge,
    result: rules.result,
    plain: {
      add: ({ numbers, n }, inputs) => rules.plainAdd(numbers, n, inputs[0] as number),
      merge: (into, from) => rules.plainMerge(into.numbers, into.n, from.numbers, from.n),
      result: ({ numbers, n }) => rules.plainResult(numbers, n),
    },
  };
}

/** How many records. */
export function count(): Aggregator<unknown, number> {
  return numeric(undefined, {
    type: 'count',
    initial: [0],
    add: (n) => `${n.number(0)} += 1;`,
    merge: (into, from) => `${into.number(0)} += ${from.number(0)};`,
    result: (n) => n.number(0),
    plainAdd: (cells, n) => {
      cells[n]! += 1;
    },
    plainMerge: (into, n, from, m) => {
      into[n]! += from[m]!;
    },
    plainResult: (cells, n) => cells[n]!,
  });
}

/** The sum of a number of each record; 0 of none. Plain double addition. */
export function sum<T>(extract: NumberOf<T>): Aggregator<T, number> {
  return numeric(extract, {
    type: 'sum',
    initial: [0],
    add: (n) => `${n.number(0)} += ${n.input(0)};`,
    merge: (into, from) => `${into.number(0)} += ${from.number(0)};`,
    result: (n) => n.number(0),
    plainAdd: (cells, n, input) => {
      cells[n]! += input;
    },
    plainMerge: (into, n, from, m) => {
      into[n]! += from[m]!;
    },
    plainResult: (cells, n) => cells[n]!,
  });
}

function extreme<T>(type: 'min' | 'max', extract: NumberOf<T>): Aggregator<T, number> {
  const math = `Math.${type}`;
  const pick = Math[type];
  return numeric(extract, {
    type,
    initial: [type === 'min' ? Infinity : -Infinity],
    add: (n) => `${n.number(0)} = ${math}(${n.number(0)}, ${n.input(0)});`,
    merge: (into, from) => `${into.number(0)} = ${math}(${into.number(0)}, ${from.number(0)});`,
    result: (n) => n.number(0),
    plainAdd: (cells, n, input) => {
      cells[n] = pick(cells[n]!, input);
    },
    plainMerge: (into, n, from, m) => {
      into[n] = pick(into[n]!, from[m]!);
    },
    plainResult: (cells, n) => cells[n]!,
  });
}

/** The smallest number; NaN if one is NaN. */
export const min = <T>(extract: NumberOf<T>): Aggregator<T, number> => extreme('min', extract);

/** The largest number; NaN if one is NaN. */
export const max = <T>(extract: NumberOf<T>): Aggregator<T, number> => extreme('max', extract);

/** The mean of a number of each record. */
export function average<T>(extract: NumberOf<T>): Aggregator<T, number> {
  return numeric(extract, {
    type: 'average',
    initial: [0, 0],
    add: (n) => `${n.number(0)} += ${n.input(0)}; ${n.number(1)} += 1;`,
    merge: (into, from) =>
      `${into.number(0)} += ${from.number(0)}; ${into.number(1)} += ${from.number(1)};`,
    result: (n) => `${n.number(0)} / ${n.number(1)}`,
    plainAdd: (cells, n, input) => {
      cells[n]! += input;
      cells[n + 1]! += 1;
    },
    plainMerge: (into, n, from, m) => {
      into[n]! += from[m]!;
      into[n + 1]! += from[m + 1]!;
    },
    plainResult: (cells, n) => cells[n]! / cells[n + 1]!,
  });
}
