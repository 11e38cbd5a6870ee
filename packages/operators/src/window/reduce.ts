import type { StreamWithSides, WindowedStream } from '@millrace/core/spi';
import { aggregator } from '../aggregators/custom.js';
import { foldOf } from './fold.js';
import type { WindowInfo } from './window.js';
import { addWindow, type WindowSides } from './window-node.js';

/**
 * Combines each window's records pairwise to one of the same type, given as `value`.
 *
 * @param combine must be associative, and must not change its arguments
 * @example reduce((a, b) => (a.price > b.price ? a : b))
 */
export function reduce<T, K>(
  // Not inferred from the result: a function that only throws would ask for a stream of `never`.
  combine: (a: T, b: T) => NoInfer<T>,
): (
  windowed: WindowedStream<T, K>,
) => StreamWithSides<{ readonly value: T } & WindowInfo<K>, WindowSides<T>> {
  const value = aggregator<T, T | undefined, T>({
    create: () => undefined,
    add: (sofar, record) => (sofar === undefined ? record : combine(sofar, record)),
    merge: (into, from) =>
      into === undefined ? from : from === undefined ? into : combine(into, from),
    result: (all) => all as T,
  });
  return (windowed) => addWindow(windowed, 'reduce', foldOf({ value }));
}
