import type { Aggregator } from '@millrace/core/spi';

/** The rules of an aggregator of the author's own. */
export interface AggregatorRules<T, A, R> {
  create(): A;
  /** The accumulator with the record in it: a new one, or the same one changed. */
  add(accumulator: A, record: T): A;
  /** Without it, sliding windows keep one accumulator for each window instead of each slice. */
  merge?: ((into: A, from: A) => A) | undefined;
  result(accumulator: A): R;
  /**
   * Needed where `add` changes its argument and the operator goes on after errors: the copy is
   * what `add` changes, so that a record that throws leaves nothing behind.
   */
  copy?: ((accumulator: A) => A) | undefined;
}

/**
 * An aggregator by four plain functions.
 *
 * @example
 * const longest = aggregator<string, string, string>({
 *   create: () => '',
 *   add: (best, text) => (text.length > best.length ? text : best),
 *   result: (best) => best,
 * });
 */
export function aggregator<T, A, R>(rules: AggregatorRules<T, A, R>): Aggregator<T, R> {
  const { create, merge, result, copy } = rules;
  const add =
    copy === undefined
      ? (into: A, record: T): A => rules.add(into, record)
      : (into: A, record: T): A => rules.add(copy(into), record);
  return {
    type: 'custom',
    inputs: [{ extract: undefined, type: 'any' }],
    numbers: [],
    refs: [create],
    functions: { add, merge, result },
    add: (n) => ({
      prepare: `${n.fn('add')}(${n.ref(0)}, ${n.input(0)})`,
      // Many records change nothing; a comparison is cheaper than the write barrier of a store.
      commit: `if (${n.prepared} !== ${n.ref(0)}) ${n.ref(0)} = ${n.prepared};`,
    }),
    merge:
      merge === undefined
        ? undefined
        : (into, from) => `${into.ref(0)} = ${into.fn('merge')}(${into.ref(0)}, ${from.ref(0)});`,
    result: (n) => `${n.fn('result')}(${n.ref(0)})`,
    plain: {
      add: ({ refs, r }, inputs) => {
        refs[r] = add(refs[r] as A, inputs[0] as T);
      },
      merge:
        merge === undefined
          ? undefined
          : (into, from) => {
              into.refs[into.r] = merge(into.refs[into.r] as A, from.refs[from.r] as A);
            },
      result: ({ refs, r }) => result(refs[r] as A),
    },
  };
}
