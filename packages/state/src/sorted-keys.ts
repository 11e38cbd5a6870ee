import type { Key } from '@millrace/core';
import { type CanonicalKey, encodeKey, keyOfCanonical } from '@millrace/core/internal';

/** Keys in order: numbers by value, texts by their UTF-16 code units, others by their bytes. */
export class SortedKeys {
  /** Sorted but for what was added since it was last looked at. */
  private sorted: CanonicalKey[] = [];
  private isSorted = true;

  add(key: CanonicalKey): void {
    const { sorted } = this;
    // Most maps grow at their end, e.g. by time.
    const last = sorted[sorted.length - 1];
    if (this.isSorted && last !== undefined && compareKeys(last, key) > 0) this.isSorted = false;
    sorted.push(key);
  }

  remove(key: CanonicalKey): void {
    const at = this.indexOf(key);
    if (this.sorted[at] === key) this.sorted.splice(at, 1);
  }

  /** The keys with `from ≤ key < to`; a missing end is open. */
  between(from: CanonicalKey | undefined, to: CanonicalKey | undefined): readonly CanonicalKey[] {
    const begin = from === undefined ? 0 : this.indexOf(from);
    const end = to === undefined ? this.sorted.length : this.indexOf(to);
    this.sort();
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
    if (this.isSorted) return;
    this.sorted.sort(compareKeys);
    this.isSorted = true;
  }
}

/** The order of keys in their canonical form. */
export function compareKeys(a: CanonicalKey, b: CanonicalKey): number {
  const difference = typeof a === 'number' && typeof b === 'number' ? a - b : Number.NaN;
  if (!Number.isNaN(difference)) return difference;
  const plain = (key: CanonicalKey): boolean => typeof key === 'string' && key.charCodeAt(0) !== 0;
  if (plain(a) && plain(b)) return a! < b! ? -1 : a === b ? 0 : 1;
  return compareBytes(encodeKey(keyOfCanonical(a) as Key), encodeKey(keyOfCanonical(b) as Key));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
