import type { Key } from '@millrace/core';
import { canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import { stateLimits } from './limits.js';

const nobody = -1;

/** Mixes an integer's bits, so that neighbours spread (the finaliser of murmur3). */
function hashOf(key: number): number {
  // Integers beyond 32 bits keep their upper half in the mix.
  let h = (key | 0) ^ ((key / 4_294_967_296) | 0);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Gives each key a slot: a small integer for rows elsewhere. Integers are kept in an
 * open-addressing table of typed arrays (4 ns at 10⁴ keys where a `Map` takes 16); everything else
 * in a `Map` by its canonical form.
 */
export class KeyIndex {
  /** Slot + 1 by hash cell; 0 is free. */
  private cells: Int32Array;
  private mask: number;
  /** Integer keys by slot. */
  private integers: Float64Array;
  /** Other keys by slot, where the slot is not an integer key's. */
  private readonly others = new Map<unknown, number>();
  private readonly otherKeys: unknown[] = [];
  private readonly freeSlots: number[] = [];
  /** 0: free, 1: an integer key's, 2: another key's. */
  private kinds: Uint8Array;
  private integerCount = 0;
  high = 0;

  constructor() {
    const rows = stateLimits.tableRowsInitial;
    this.cells = new Int32Array(rows / stateLimits.hashLoadMax);
    this.mask = this.cells.length - 1;
    this.integers = new Float64Array(rows);
    this.kinds = new Uint8Array(rows);
  }

  get size(): number {
    return this.integerCount + this.others.size;
  }

  get capacity(): number {
    return this.integers.length;
  }

  find(key: Key): number {
    if (typeof key === 'number' && Number.isSafeInteger(key)) {
      const { cells, integers, mask } = this;
      let cell = hashOf(key) & mask;
      for (let entry = cells[cell]!; entry !== 0; entry = cells[cell]!) {
        if (integers[entry - 1] === key) return entry - 1;
        cell = (cell + 1) & mask;
      }
      return nobody;
    }
    return this.others.get(canonicalKey(key)) ?? nobody;
  }

  /** A slot for a key that has none; may be one that was removed before. */
  insert(key: Key): number {
    const slot = this.freeSlots.pop() ?? this.newSlot();
    if (typeof key === 'number' && Number.isSafeInteger(key)) {
      this.integers[slot] = key;
      this.kinds[slot] = 1;
      this.integerCount += 1;
      if (this.integerCount > this.cells.length * stateLimits.hashLoadMax) this.rehash();
      else this.place(key, slot);
    } else {
      const canonical = canonicalKey(key);
      this.kinds[slot] = 2;
      this.others.set(canonical, slot);
      this.otherKeys[slot] = canonical;
    }
    return slot;
  }

  isLive(slot: number): boolean {
    return this.kinds[slot] !== 0;
  }

  keyAt(slot: number): Key {
    return this.kinds[slot] === 1
      ? this.integers[slot]!
      : keyOfCanonical(this.otherKeys[slot] as never);
  }

  remove(slot: number): void {
    if (this.kinds[slot] === 1) {
      this.integerCount -= 1;
      this.unplace(this.integers[slot]!);
    } else {
      this.others.delete(this.otherKeys[slot]);
      this.otherKeys[slot] = undefined;
    }
    this.kinds[slot] = 0;
    this.freeSlots.push(slot);
  }

  clear(): void {
    this.cells.fill(0);
    this.kinds.fill(0, 0, this.high);
    this.others.clear();
    this.otherKeys.length = 0;
    this.freeSlots.length = 0;
    this.integerCount = 0;
    this.high = 0;
  }

  private newSlot(): number {
    if (this.high === this.integers.length) {
      const integers = new Float64Array(this.integers.length * 2);
      integers.set(this.integers);
      this.integers = integers;
      const kinds = new Uint8Array(this.kinds.length * 2);
      kinds.set(this.kinds);
      this.kinds = kinds;
    }
    this.high += 1;
    return this.high - 1;
  }

  private place(key: number, slot: number): void {
    let cell = hashOf(key) & this.mask;
    while (this.cells[cell] !== 0) cell = (cell + 1) & this.mask;
    this.cells[cell] = slot + 1;
  }

  /** Frees the key's cell and closes the gap, so that probing needs no tombstones. */
  private unplace(key: number): void {
    const { cells, integers, mask } = this;
    let gap = hashOf(key) & mask;
    while (integers[cells[gap]! - 1] !== key) gap = (gap + 1) & mask;
    for (let next = (gap + 1) & mask; cells[next] !== 0; next = (next + 1) & mask) {
      const home = hashOf(integers[cells[next]! - 1]!) & mask;
      // Moves back unless its home lies behind the gap, on the way to where it is.
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      cells[gap] = cells[next]!;
      gap = next;
    }
    cells[gap] = 0;
  }

  private rehash(): void {
    this.cells = new Int32Array(this.cells.length * 2);
    this.mask = this.cells.length - 1;
    for (let slot = 0; slot < this.high; slot += 1) {
      if (this.kinds[slot] === 1) this.place(this.integers[slot]!, slot);
    }
  }
}
