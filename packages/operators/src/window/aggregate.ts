import { MillraceError } from '@millrace/core';
import type { Aggregator, StreamWithSides, WindowedStream } from '@millrace/core/spi';
import { foldOf } from './fold.js';
import type { WindowInfo } from './window.js';
import { addWindow, type WindowSides } from './window-node.js';

const reservedNames = ['key', 'window', 'pane'];

/** A text that the compiler shows beside fields whose names each window result carries already. */
type Reserved<R> = [Extract<keyof R, 'key' | 'window' | 'pane'>] extends [never]
  ? unknown
  : 'the field names key, window and pane are reserved: each result carries them';

/**
 * Folds each window's records, and gives one result per key and window: the fields, with `key`,
 * `window` and `pane`.
 *
 * Results carry the timestamp of the window's last millisecond.
 *
 * @param parts an aggregator for each field
 * @example aggregate({ spend: sum((p) => p.amount), n: count() })
 */
export function aggregate<T, K, R>(
  parts: { readonly [N in keyof R]: Aggregator<T, R[N]> } & Reserved<R>,
): (windowed: WindowedStream<T, K>) => StreamWithSides<R & WindowInfo<K>, WindowSides<T>> {
  for (const name of reservedNames) {
    if (!Object.hasOwn(parts, name)) continue;
    throw new MillraceError('ERR_INVALID_OPTION', `'${name}' is reserved for each result's own`, {
      field: name,
    });
  }
  return (windowed) => addWindow(windowed, 'aggregate', foldOf(parts as never));
}
