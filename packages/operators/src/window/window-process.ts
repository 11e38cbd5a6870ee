import { type StreamWithSides, type WindowedStream, windowOf } from '@millrace/core/spi';
import { collect } from '../aggregators/collecting.js';
import { refuseAsync } from '../refuse-async.js';
import { foldOf } from './fold.js';
import type { PendingWindow, WindowInfo } from './window.js';
import { addWindow, type WindowSides } from './window-node.js';

/**
 * Calls a function with all of a window's records, which are kept until then: prefer `aggregate`
 * where it can say the same. Each result gets `key`, `window` and `pane`.
 *
 * With an error policy that goes on, up to 65,536 results of a key wait until the generator has
 * ended, so that one that throws gives none of them; what a longer one gave by then stays, and it is
 * not tried again.
 *
 * @param process gives any number of results; a generator is taken in steps, so it may give
 *   millions
 * @example windowProcess((payments, info) => [{ median: medianOf(payments) }])
 */
export function windowProcess<T, K, R extends object>(
  process: (records: readonly T[], info: WindowInfo<K>) => Iterable<R>,
): (windowed: WindowedStream<T, K>) => StreamWithSides<R & WindowInfo<K>, WindowSides<T>> {
  const fold = foldOf(
    { records: collect<T>() as never },
    { single: true, expand: process as never },
  );
  return (windowed) => {
    const detail = 'the function of windowProcess must not be async';
    refuseAsync((windowOf(windowed) as PendingWindow).id, [process], detail);
    return addWindow(windowed, 'process', fold);
  };
}
