import type { Key } from '@millrace/core';

/**
 * Which rows of a snapshot were copied aside, and to which place. Memory is kept from one snapshot
 * to the next: fresh memory for each of them makes the garbage collector go through the whole heap.
 */
export class AsidePlaces {
  /** Rows kept aside so far. */
  count = 0;
  /** Place + 1 by slot, 0 where there is none; undefined while none was ever needed. */
  placeOf: Int32Array | undefined;
  /** Of rows that were removed since; of all others the slot still knows it. */
  private readonly keys = new Map<number, Key>();

  /** The row of a slot gets the next place. */
  add(slot: number, slots: number): number {
    // Zeroed memory is only touched where it is used.
    if (this.placeOf === undefined || this.placeOf.length < slots) this.grow(slots);
    this.count += 1;
    this.placeOf![slot] = this.count;
    return this.count - 1;
  }

  /** The place of a slot's row, or −1. */
  at(slot: number): number {
    return (this.placeOf?.[slot] ?? 0) - 1;
  }

  /** The slot's row has been written. */
  written(slot: number): void {
    this.placeOf![slot] = 0;
  }

  /** The slot is about to be free for another key. */
  removing(slot: number, keyAt: (slot: number) => Key): void {
    const place = this.at(slot);
    if (place >= 0 && !this.keys.has(place)) this.keys.set(place, keyAt(slot));
  }

  /** The key of a row that was removed since; undefined where its slot still knows it. */
  keyOf(place: number): Key | undefined {
    return this.keys.get(place);
  }

  /** For the next snapshot. */
  reset(): void {
    if (this.count * 8 < (this.placeOf?.length ?? 0)) this.placeOf = undefined;
    else this.placeOf?.fill(0);
    this.keys.clear();
    this.count = 0;
  }

  private grow(slots: number): void {
    const larger = new Int32Array(slots);
    if (this.placeOf !== undefined) larger.set(this.placeOf);
    this.placeOf = larger;
  }
}
