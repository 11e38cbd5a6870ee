import type { Key } from '@millrace/core';
import { type CanonicalKey, canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import { stateLimits } from './limits.js';
import { TextKeys } from './text-keys.js';

const nobody = -1;

/** What a slot holds. */
export const SlotKind = { free: 0, integer: 1, other: 2, text: 3 } as const;

/** Measured for short texts: the text, its place in the map and in the list. */
const otherKeyBytes = 80;

/** Spreads neighbouring integers (Knuth's multiplicative hashing); the upper bits are the best. */
const spread = 0x9e3779b1;

/**
 * Gives each key a slot: a small integer for rows elsewhere. 32-bit integers are kept in an
 * open-addressing table of a typed array (4 ns at 10⁴ keys where a `Map` takes 16), short texts as
 * bytes where there are many; everything else in a `Map` by its canonical form.
 */
export class KeyIndex {
  high = 0;
  /** Pairs of key and slot + 1; a slot of 0 is free. */
  private cells = new Int32Array(2 * cellsFor(stateLimits.tableRowsInitial));
  private shift = 32 - Math.log2(cellsFor(stateLimits.tableRowsInitial));
  /** Integer keys by slot. */
  integers = new Int32Array(stateLimits.tableRowsInitial);
  /** What each slot holds. */
  kinds = new Uint8Array(stateLimits.tableRowsInitial);
  private readonly others = new Map<unknown, number>();
  /** Canonical forms of other keys by slot. */
  private otherKeys: unknown[] = [];
  private readonly freeSlots: number[] = [];
  private integerCount = 0;
  /**
   * The number found last among other keys, and its slot: the end of a window as a key comes again and
   * again. NaN, which is no key, where nothing is known.
   */
  private lastNumber = Number.NaN;
  private lastSlot = nobody;
  /**
   * Undefined while there are few: a `Map` is faster as long as it fits the processor's cache, for
   * it uses hashes that JavaScript strings remember.
   */
  texts: TextKeys | undefined;

  get hasIntegersOnly(): boolean {
    return this.integerCount === this.size;
  }

  get size(): number {
    return this.integerCount + this.others.size + (this.texts?.size ?? 0);
  }

  /** Estimate of the memory in use. */
  get bytes(): number {
    const others = this.others.size * otherKeyBytes + (this.texts?.memoryBytes ?? 0);
    return this.cells.byteLength + this.integers.byteLength + this.kinds.byteLength + others;
  }

  find(key: Key): number {
    if (typeof key !== 'number' || (key | 0) !== key) return this.findRarer(key);
    const { cells } = this;
    const mask = cells.length - 1;
    let cell = (Math.imul(key, spread) >>> this.shift) << 1;
    for (;;) {
      const slot = cells[cell + 1]!;
      // A free cell ends the search with −1, as does the key with its slot.
      if (slot === 0 || cells[cell] === key) return slot - 1;
      cell = (cell + 2) & mask;
    }
  }

  /**
   * A slot for a key that has none; may be one that was removed before.
   *
   * @throws MillraceError `ERR_INVALID_KEY`; nothing has changed then
   */
  insert(key: Key): number {
    if (typeof key === 'number' && (key | 0) === key) {
      const slot = this.takeSlot();
      this.integers[slot] = key;
      this.kinds[slot] = SlotKind.integer;
      this.integerCount += 1;
      const cells = this.cells.length / 2;
      if (this.integerCount > cells * stateLimits.hashLoadMax) this.rehash(cells * 2);
      else this.place(key, slot);
      return slot;
    }
    // Ahead of taking a slot: there are no keys of some kinds.
    const canonical = canonicalKey(key);
    const slot = this.takeSlot();
    if (typeof key === 'string' && this.texts?.insert(key, slot) === true) {
      this.kinds[slot] = SlotKind.text;
    } else {
      this.insertOther(canonical, slot);
    }
    return slot;
  }

  isLive(slot: number): boolean {
    return this.kinds[slot] !== SlotKind.free;
  }

  keyAt(slot: number): Key {
    const kind = this.kinds[slot];
    if (kind === SlotKind.integer) return this.integers[slot]!;
    if (kind === SlotKind.text) return this.texts!.textAt(slot);
    return keyOfCanonical(this.otherKeys[slot] as never);
  }

  remove(slot: number): void {
    const kind = this.kinds[slot];
    if (slot === this.lastSlot) this.lastNumber = Number.NaN;
    if (kind === SlotKind.integer) {
      this.integerCount -= 1;
      this.unplace(this.integers[slot]!);
    } else if (kind === SlotKind.text) {
      this.texts!.remove(slot);
    } else {
      this.others.delete(this.otherKeys[slot]);
      this.otherKeys[slot] = undefined;
    }
    this.kinds[slot] = SlotKind.free;
    this.freeSlots.push(slot);
  }

  clear(): void {
    if (this.high === 0) return;
    if (this.integerCount > 0) this.cells.fill(0);
    if (this.texts !== undefined && this.texts.size < stateLimits.textKeysMin) {
      this.texts = undefined;
    } else this.texts?.clear();
    if (this.others.size > 0) {
      this.others.clear();
      this.otherKeys = [];
    }
    this.kinds.fill(SlotKind.free, 0, this.high);
    this.freeSlots.length = 0;
    this.integerCount = 0;
    this.lastNumber = Number.NaN;
    this.high = 0;
  }

  /**
   * Texts by themselves, and the rest in another function: as little as this fits into the loop that
   * looks for them, which then waits for several of them at the same time.
   */
  private findRarer(key: Key): number {
    const { texts } = this;
    if (texts === undefined || typeof key !== 'string') return this.findOther(key);
    const slot = texts.find(key);
    return slot >= 0 ? slot : this.findOther(key);
  }

  /** In the map, where texts are that are not kept as bytes. */
  private findOther(key: Key): number {
    if (this.others.size === 0) return nobody;
    // Compared with a text, the number would be put on the heap for each look-up.
    if (typeof key === 'number' && key === this.lastNumber) return this.lastSlot;
    const slot = this.others.get(canonicalKey(key)) ?? nobody;
    if (typeof key === 'number' && slot >= 0) {
      this.lastNumber = key;
      this.lastSlot = slot;
    }
    return slot;
  }

  private insertOther(canonical: CanonicalKey, slot: number): void {
    this.kinds[slot] = SlotKind.other;
    this.others.set(canonical, slot);
    this.otherKeys[slot] = canonical;
    if (this.texts === undefined && this.others.size >= stateLimits.textKeysMin) this.moveTexts();
  }

  /** From now on short texts are kept as bytes. */
  private moveTexts(): void {
    const texts = new TextKeys();
    this.texts = texts;
    for (const [canonical, slot] of this.others) {
      // Texts that are taken are their own canonical form: no other key's has only ASCII but U+0000.
      if (typeof canonical !== 'string' || !texts.insert(canonical, slot)) continue;
      this.others.delete(canonical);
      this.otherKeys[slot] = undefined;
      this.kinds[slot] = SlotKind.text;
    }
    if (this.others.size === 0) this.otherKeys = [];
  }

  private takeSlot(): number {
    return this.freeSlots.pop() ?? this.newSlot();
  }

  private newSlot(): number {
    if (this.high === this.integers.length) {
      const integers = new Int32Array(this.integers.length * 2);
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
    const { cells } = this;
    let cell = this.homeOf(key);
    while (cells[cell + 1] !== 0) cell = (cell + 2) & (cells.length - 1);
    cells[cell] = key;
    cells[cell + 1] = slot + 1;
  }

  private homeOf(key: number): number {
    return (Math.imul(key, spread) >>> this.shift) << 1;
  }

  /** Frees the key's cell and closes the gap, so that probing needs no tombstones. */
  private unplace(key: number): void {
    const { cells } = this;
    const mask = cells.length - 1;
    let gap = this.homeOf(key);
    while (cells[gap] !== key) gap = (gap + 2) & mask;
    for (let next = (gap + 2) & mask; cells[next + 1] !== 0; next = (next + 2) & mask) {
      const home = this.homeOf(cells[next]!);
      // Moves back unless its home lies behind the gap, on the way to where it is.
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      cells[gap] = cells[next]!;
      cells[gap + 1] = cells[next + 1]!;
      gap = next;
    }
    cells[gap + 1] = 0;
  }

  private rehash(cells: number): void {
    this.cells = new Int32Array(2 * cells);
    this.shift = 32 - Math.log2(cells);
    for (let slot = 0; slot < this.high; slot += 1) {
      if (this.kinds[slot] === SlotKind.integer) this.place(this.integers[slot]!, slot);
    }
  }
}

/** Hash cells for a number of rows; a power of two. */
function cellsFor(rows: number): number {
  return rows / stateLimits.hashLoadMax;
}
