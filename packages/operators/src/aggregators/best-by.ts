import type { Aggregator } from '@millrace/core/spi';

export interface BestOptions {
  /** `first` (default): the earliest arrival; `all`: every record with the best value. */
  readonly ties?: 'first' | 'all' | undefined;
}

/** Not `push(...)`: its arguments go on the stack, which a long list would overflow. */
function append(into: unknown[], from: readonly unknown[]): void {
  for (const value of from) into.push(value);
}

function bestBy<T>(
  type: 'maxBy' | 'minBy',
  extract: (record: T) => number,
  all: boolean,
): Aggregator<T, unknown> {
  const better = type === 'maxBy' ? '>' : '<';
  // A record may itself have the worst value: then it is the best of those like it.
  const worst = type === 'maxBy' ? -Infinity : Infinity;
  const beats =
    type === 'maxBy' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b;
  const only = (value: unknown): unknown => (all ? [value] : value);
  return {
    type,
    inputs: [
      { extract, type: 'number' },
      { extract: undefined, type: 'any' },
    ],
    numbers: [worst],
    refs: [() => (all ? [] : undefined)],
    functions: { append },
    add: (n) => {
      const value = n.input(1);
      const take = `${n.number(0)} = ${n.input(0)}; ${n.ref(0)} = ${all ? `[${value}]` : value};`;
      const tie = all
        ? ` else if (${n.input(0)} === ${n.number(0)}) ${n.ref(0)}.push(${value});`
        : ` else if (${n.input(0)} === ${n.number(0)} && ${n.ref(0)} === undefined) ${n.ref(0)} = ${value};`;
      return { commit: `if (${n.input(0)} ${better} ${n.number(0)}) { ${take} }${tie}` };
    },
    merge: (into, from) => {
      const copy = all ? `${from.ref(0)}.slice()` : from.ref(0);
      const take = `${into.number(0)} = ${from.number(0)}; ${into.ref(0)} = ${copy};`;
      const tie = all
        ? ` else if (${from.number(0)} === ${into.number(0)}) ${into.fn('append')}(${into.ref(0)}, ${from.ref(0)});`
        : ` else if (${from.number(0)} === ${into.number(0)}) ${into.ref(0)} ??= ${from.ref(0)};`;
      return `if (${from.number(0)} ${better} ${into.number(0)}) { ${take} }${tie}`;
    },
    result: (n) => (all ? `${n.ref(0)}.slice()` : n.ref(0)),
    plain: {
      add: ({ numbers, n, refs, r }, inputs) => {
        const [value, record] = inputs as [number, unknown];
        if (beats(value, numbers[n]!)) {
          numbers[n] = value;
          refs[r] = only(record);
        } else if (value === numbers[n]) {
          if (all) (refs[r] as unknown[]).push(record);
          else if (refs[r] === undefined) refs[r] = record;
        }
      },
      merge: (into, from) => {
        const kept = from.refs[from.r];
        if (beats(from.numbers[from.n]!, into.numbers[into.n]!)) {
          into.numbers[into.n] = from.numbers[from.n]!;
          into.refs[into.r] = all ? [...(kept as unknown[])] : kept;
        } else if (from.numbers[from.n] === into.numbers[into.n]) {
          if (all) append(into.refs[into.r] as unknown[], kept as unknown[]);
          else into.refs[into.r] ??= kept;
        }
      },
      result: ({ refs, r }) => (all ? [...(refs[r] as unknown[])] : refs[r]),
    },
  };
}

/**
 * The record with the largest value, or with `ties: 'all'` all records that share it, in the order
 * of arrival; where a window is merged from slices, or a session from sessions, part by part.
 *
 * @example aggregate({ top: maxBy((b) => b.price, { ties: 'all' }) })
 */
export function maxBy<T>(
  extract: (record: T) => number,
  options: { readonly ties: 'all' },
): Aggregator<T, readonly T[]>;
export function maxBy<T>(extract: (record: T) => number, options?: BestOptions): Aggregator<T, T>;
export function maxBy<T>(
  extract: (record: T) => number,
  options: BestOptions = {},
): Aggregator<T, unknown> {
  return bestBy('maxBy', extract, options.ties === 'all');
}

/** The record with the smallest value; see {@link maxBy}. */
export function minBy<T>(
  extract: (record: T) => number,
  options: { readonly ties: 'all' },
): Aggregator<T, readonly T[]>;
export function minBy<T>(extract: (record: T) => number, options?: BestOptions): Aggregator<T, T>;
export function minBy<T>(
  extract: (record: T) => number,
  options: BestOptions = {},
): Aggregator<T, unknown> {
  return bestBy('minBy', extract, options.ties === 'all');
}
