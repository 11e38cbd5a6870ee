import { canonicalKey } from '@millrace/core/internal';
import type { Aggregator, Key } from '@millrace/core/spi';

/** An aggregator over one reference, changed in place by a rule that cannot throw. */
function collecting<T, A, R>(
  type: string,
  extract: ((record: T) => unknown) | undefined,
  rules: {
    readonly create: () => A;
    readonly add: (into: A, input: never) => void;
    readonly merge: (into: A, from: A) => void;
    readonly result: (accumulator: A) => R;
  },
): Aggregator<T, R> {
  const { create, add, merge, result } = rules as typeof rules & {
    add: (into: A, input: unknown) => void;
  };
  return {
    type,
    inputs: [{ extract, type: 'any' }],
    numbers: [],
    refs: [create],
    functions: { add, merge, result },
    add: (n) => ({ commit: `${n.fn('add')}(${n.ref(0)}, ${n.input(0)});` }),
    merge: (into, from) => `${into.fn('merge')}(${into.ref(0)}, ${from.ref(0)});`,
    result: (n) => `${n.fn('result')}(${n.ref(0)})`,
    plain: {
      add: ({ refs, r }, inputs) => add(refs[r] as A, inputs[0]),
      merge: (into, from) => merge(into.refs[into.r] as A, from.refs[from.r] as A),
      result: ({ refs, r }) => result(refs[r] as A),
    },
  };
}

/** How many different values, exactly. State grows with each different value. */
export function distinctCount<T>(extract: (record: T) => Key): Aggregator<T, number> {
  return collecting<T, Set<unknown>, number>(
    'distinctCount',
    (record) => canonicalKey(extract(record)),
    {
      create: () => new Set(),
      add: (into, value: unknown) => into.add(value),
      merge: (into, from) => {
        for (const value of from) into.add(value);
      },
      result: (set) => set.size,
    },
  );
}

/**
 * All values, in the order of arrival; those of a window in slices or of merged sessions part by
 * part. State grows with each record.
 */
export function collect<T, V = T>(extract?: (record: T) => V): Aggregator<T, readonly V[]> {
  return collecting<T, V[], readonly V[]>('collect', extract, {
    create: () => [],
    add: (into, value: V) => into.push(value),
    merge: (into, from) => {
      for (const value of from) into.push(value);
    },
    result: (values) => [...values],
  });
}
