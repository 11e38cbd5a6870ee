import type { Key } from '@millrace/core';
import { type CanonicalKey, encodeKey, keyOfCanonical } from '@millrace/core/internal';
import { stateLimits } from './limits.js';

/**
 * Keys in order: numbers by value, texts by their UTF-16 code units, others by their bytes. Changes
 * are gathered and made together when the order is asked for.
 */
export class SortedKeys {
  /** In order from `begin` on; what is ahead of it is gone. */
  private sorted: CanonicalKey[] = [];
  private begin = 0;
  /** Keys that are not among the sorted ones yet. */
  private added = new Set<CanonicalKey>();
  /** Keys that are still among the sorted ones. */
  private removed = new Set<CanonicalKey>();

  /** Adds a key that is not there. */
  add(key: CanonicalKey): void {
    const { sorted, added, removed } = this;
    if (removed.size > 0 && removed.delete(key)) return;
    // Most maps grow at their end, e.g. by time.
    const isLast = this.count === 0 || compareKeys(sorted[sorted.length - 1]!, key) < 0;
    if (isLast && added.size === 0) sorted.push(key);
    else added.add(key);
  }

  /** Removes a key that is there. */
  remove(key: CanonicalKey): void {
    const { added, removed } = this;
    if (added.size > 0 && added.delete(key)) return;
    removed.add(key);
    // Where nobody asks for the order, what is gone must not be kept for ever.
    if (removed.size > stateLimits.sortedChangesMax && removed.size * 2 > this.count) this.settle();
  }

  /** The keys with `from ≤ key < to`; a missing end is open. */
  between(from: CanonicalKey | undefined, to: CanonicalKey | undefined): readonly CanonicalKey[] {
    this.settle();
    const begin = from === undefined ? this.begin : this.placeOf(from);
    const end = to === undefined ? this.sorted.length : this.placeOf(to);
    return this.sorted.slice(begin, end);
  }

  first(): CanonicalKey | undefined {
    this.settle();
    return this.sorted[this.begin];
  }

  last(): CanonicalKey | undefined {
    this.settle();
    return this.count === 0 ? undefined : this.sorted[this.sorted.length - 1];
  }

  /** Keys among the sorted ones. */
  private get count(): number {
    return this.sorted.length - this.begin;
  }

  /** Index of the first sorted key that is not before `key`. */
  private placeOf(key: CanonicalKey): number {
    let low = this.begin;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.sorted[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private settle(): void {
    if (this.removed.size > 0) this.takeOut();
    if (this.added.size > 0) this.putIn();
  }

  private takeOut(): void {
    const places = Uint32Array.from(this.removed, (key) => this.placeOf(key)).sort();
    this.removed = new Set();
    const { sorted, begin } = this;
    const { length } = places;
    const first = places[0]!;
    const isOneRun = places[length - 1]! - first === length - 1;
    // Most maps lose keys at their beginning; moving the others each time would be dear.
    if (isOneRun && first === begin) this.dropFirst(length);
    else if (isOneRun) sorted.splice(first, length);
    else if (length <= stateLimits.sortedChangesMax) {
      for (const place of places.reverse()) sorted.splice(place, 1);
    } else {
      let to = first;
      for (let at = first, next = 0; at < sorted.length; at += 1) {
        if (at === places[next]) next += 1;
        else {
          sorted[to] = sorted[at]!;
          to += 1;
        }
      }
      sorted.length = to;
    }
  }

  private dropFirst(keys: number): void {
    this.begin += keys;
    if (this.begin <= stateLimits.sortedChangesMax || this.begin <= this.count) return;
    this.sorted = this.sorted.slice(this.begin);
    this.begin = 0;
  }

  private putIn(): void {
    const { added } = this;
    this.added = new Set();
    // Comparing all keys again costs more than making room for a few.
    if (added.size <= stateLimits.sortedChangesMax) {
      for (const key of added) this.sorted.splice(this.placeOf(key), 0, key);
      return;
    }
    if (this.begin > 0) this.sorted = this.sorted.slice(this.begin);
    this.begin = 0;
    for (const key of added) this.sorted.push(key);
    this.sorted.sort(compareKeys);
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
