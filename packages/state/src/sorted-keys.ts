import type { Key } from '@millrace/core';
import { type CanonicalKey, encodeKey, keyOfCanonical } from '@millrace/core/internal';
import { stateLimits } from './limits.js';

/** Keys in order: numbers by value, texts by their UTF-16 code units, others by their bytes. */
export class SortedKeys {
  private readonly sorted: CanonicalKey[] = [];
  /** Keys added since the others were looked at, in no order. */
  private added: CanonicalKey[] = [];

  /** Adds a key that is not there. */
  add(key: CanonicalKey): void {
    const { sorted, added } = this;
    // Most maps grow at their end, e.g. by time.
    const last = sorted[sorted.length - 1];
    const isLast = last === undefined || compareKeys(last, key) < 0;
    if (isLast && added.length === 0) sorted.push(key);
    else added.push(key);
  }

  remove(key: CanonicalKey): void {
    const at = this.indexOf(key);
    const found = this.sorted[at];
    if (found !== undefined && compareKeys(found, key) === 0) this.sorted.splice(at, 1);
  }

  /** The keys with `from ≤ key < to`; a missing end is open. */
  between(from: CanonicalKey | undefined, to: CanonicalKey | undefined): readonly CanonicalKey[] {
    this.sort();
    const begin = from === undefined ? 0 : this.indexOf(from);
    const end = to === undefined ? this.sorted.length : this.indexOf(to);
    return this.sorted.slice(begin, end);
  }

  first(): CanonicalKey | undefined {
    this.sort();
    return this.sorted[0];
  }

  last(): CanonicalKey | undefined {
    this.sort();
    return this.sorted[this.sorted.length - 1];
  }

  /** Index of the first key that is not before `key`. */
  private indexOf(key: CanonicalKey): number {
    this.sort();
    return this.placeOf(key);
  }

  private placeOf(key: CanonicalKey): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.sorted[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private sort(): void {
    const { sorted, added } = this;
    if (added.length === 0) return;
    this.added = [];
    // Comparing all keys again costs more than making room for a few.
    if (added.length <= stateLimits.sortedInsertsMax) {
      for (const key of added) sorted.splice(this.placeOf(key), 0, key);
      return;
    }
    for (const key of added) sorted.push(key);
    sorted.sort(compareKeys);
  }
}

/** The order of keys in their canonical form. */
function compareKeys(a: CanonicalKey, b: CanonicalKey): number {
  const difference = typeof a === 'number' && typeof b === 'number' ? a - b : Number.NaN;
  if (!Number.isNaN(difference)) return difference;
  if (isText(a) && isText(b)) return a < b ? -1 : a === b ? 0 : 1;
  return compareBytes(encodeKey(keyOfCanonical(a) as Key), encodeKey(keyOfCanonical(b) as Key));
}

/** A text, which one mark more or less at its start does not move; not a tuple or date. */
function isText(key: CanonicalKey): key is string {
  return typeof key === 'string' && (key.charCodeAt(0) !== 0 || key.charCodeAt(1) === 0);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
