import type {
  FoldingState,
  Key,
  ListState,
  MapState,
  SortedMapState,
  StateDescriptor,
  ValueState,
} from '@millrace/core/spi';
import { type TtlOptions, ttlOf } from './ttl.js';

/** @typeParam T what is stored: the value, an element of a list, the value of a map's entry */
export interface StateOptions<T = unknown> {
  /** Version of the shape of `T`; a restore of another one needs `migrate`. Default 1. */
  readonly version?: number | undefined;
  /**
   * Makes a `T` of what an older version of the job had stored.
   *
   * @param version of `stored`
   */
  readonly migrate?: ((stored: unknown, version: number) => T) | undefined;
  /**
   * Copies a value, so that values may be changed in place after they were read: what a snapshot
   * or a failing record needs of it as it was is copied first. Without it, a value that was given
   * to the state or read from it must not be changed any more; set a new one.
   */
  readonly copy?: ((value: T) => T) | undefined;
  /** When state that is not used any more is forgotten. Default: never. */
  readonly ttl?: TtlOptions | undefined;
}

type Common = Pick<StateDescriptor, 'version' | 'migrate' | 'copy' | 'ttl'>;

function common<T>({ version = 1, migrate, copy, ttl }: StateOptions<T>): Common {
  return {
    version,
    ...(migrate && { migrate }),
    ...(copy && { copy }),
    ...(ttl && { ttl: ttlOf(ttl) }),
  };
}

/**
 * Declares one value for each key. A value must not be changed in place, unless `copy` is given.
 *
 * @throws MillraceError `ERR_INVALID_DURATION`
 * @example
 * state: { last: valueState<Payment>({ ttl: { after: '1d' } }) }
 */
export function valueState<T>(options: StateOptions<T> = {}): StateDescriptor<ValueState<T>> {
  return { kind: 'value', ...common(options) };
}

/**
 * Declares a list for each key; elements expire one by one. They must not be changed in place,
 * unless `copy`, which is of an element, is given.
 *
 * @throws MillraceError `ERR_INVALID_DURATION`
 * @example
 * state: { seen: listState<string>({ ttl: { after: '10m', time: 'event' } }) }
 */
export function listState<T>(options: StateOptions<T> = {}): StateDescriptor<ListState<T>> {
  return { kind: 'list', ...common(options) };
}

/**
 * Declares a map for each key, which iterates in the order in which its keys were set first;
 * entries expire one by one. Values must not be changed in place, unless `copy`, which is of an
 * entry's value, is given.
 *
 * @throws MillraceError `ERR_INVALID_DURATION`
 * @example
 * state: { spendOf: mapState<string, number>() }
 */
export function mapState<K extends Key, V>(
  options: StateOptions<V> = {},
): StateDescriptor<MapState<K, V>> {
  return { kind: 'map', ...common(options) };
}

/**
 * Declares a map for each key in the order of its keys, with ranges: numbers by value, texts by
 * UTF-16 code units as `<` has them. Otherwise like {@link mapState}.
 *
 * @throws MillraceError `ERR_INVALID_DURATION`
 * @example
 * state: { byTime: sortedMapState<number, Payment>() },
 * process(p, ctx) {
 *   ctx.state.byTime.set(p.at, p);
 *   ctx.state.byTime.deleteRange(undefined, p.at - 60_000);
 * }
 */
export function sortedMapState<K extends Key, V>(
  options: StateOptions<V> = {},
): StateDescriptor<SortedMapState<K, V>> {
  return { kind: 'sortedMap', ...common(options) };
}

/**
 * Declares one value for each key into which what is added is folded. The first value added is
 * the first result; `reduce` must not change its arguments, unless `copy` is given: then it may
 * change the first one.
 *
 * @throws MillraceError `ERR_INVALID_DURATION`
 * @example
 * state: { total: reducingState<number>((total, amount) => total + amount) }
 */
export function reducingState<T>(
  reduce: (accumulator: T, value: T) => T,
  options: StateOptions<T> = {},
): StateDescriptor<FoldingState<T, T>> {
  return { kind: 'reducing', reduce, ...common(options) };
}

/** How an aggregating state folds values of type `T` by way of an accumulator `A` into an `R`. */
export interface AggregatingRules<T, A, R> extends StateOptions<A> {
  /** An accumulator into which nothing was added. */
  create(): A;
  /** Returns the new accumulator; with `copy` it may be the old one, changed. */
  add(accumulator: A, value: T): A;
  result(accumulator: A): R;
}

/**
 * Declares an accumulator for each key. The accumulator is what is stored: `version`, `migrate`
 * and `copy` are about it. `add` must not change it in place, unless `copy` is given.
 *
 * @throws MillraceError `ERR_INVALID_DURATION`
 * @example
 * state: {
 *   mean: aggregatingState({
 *     create: () => ({ sum: 0, n: 0 }),
 *     add: ({ sum, n }, value: number) => ({ sum: sum + value, n: n + 1 }),
 *     result: ({ sum, n }) => sum / n,
 *   }),
 * }
 */
export function aggregatingState<T, A, R>(
  rules: AggregatingRules<T, A, R>,
): StateDescriptor<FoldingState<T, R>> {
  const aggregation = {
    create: () => rules.create(),
    add: (accumulator: A, value: T) => rules.add(accumulator, value),
    result: (accumulator: A) => rules.result(accumulator),
  };
  return { kind: 'aggregating', aggregation, ...common(rules) };
}
