import { encodeKey } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';

/** The order of a sorted map: numbers by value, texts by UTF-16 code units, others by bytes. */
export function compareKeysOf(a: Key, b: Key): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(encodeKey(a), encodeKey(b));
}
