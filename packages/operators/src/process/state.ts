import type { ListState, MapState, StateDescriptor, ValueState } from '@millrace/core/spi';

export interface StateOptions {
  /** Version of the value's shape. Default 1. */
  readonly version?: number | undefined;
}

/** Declares one value for each key. */
export function valueState<T>(options: StateOptions = {}): StateDescriptor<ValueState<T>> {
  return { kind: 'value', version: options.version ?? 1 };
}

/** Declares a list for each key. */
export function listState<T>(options: StateOptions = {}): StateDescriptor<ListState<T>> {
  return { kind: 'list', version: options.version ?? 1 };
}

/** Declares a map for each key. */
export function mapState<K, V>(options: StateOptions = {}): StateDescriptor<MapState<K, V>> {
  return { kind: 'map', version: options.version ?? 1 };
}

declare const witnessed: unique symbol;

/** Carries a type where there is no value to infer it from. */
export interface TypeWitness<out T> {
  readonly [witnessed]?: T;
}

/** Says a type that the compiler cannot infer: `output: type<Alert>()`. */
export function type<T>(): TypeWitness<T> {
  return {};
}
