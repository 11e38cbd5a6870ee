const capacityMin = 1024;

/** Counts of 32-bit integer keys, in an open-addressing table with linear probing. */
export class IntCounts {
  #keys = new Int32Array(capacityMin);
  /** A count of 0 marks a free slot. */
  #counts = new Int32Array(capacityMin);
  #shift = 32 - Math.log2(capacityMin);
  #size = 0;

  /** Adds `count` (positive) to the count of `key`. */
  add(key: number, count: number): void {
    const keys = this.#keys;
    const counts = this.#counts;
    const mask = counts.length - 1;
    // Fibonacci hashing: the upper bits of the product spread consecutive ids.
    let slot = Math.imul(key, 0x9e3779b1) >>> this.#shift;
    while (counts[slot] !== 0) {
      if (keys[slot] === key) {
        counts[slot] = counts[slot]! + count;
        return;
      }
      slot = (slot + 1) & mask;
    }
    keys[slot] = key;
    counts[slot] = count;
    if (++this.#size * 2 > counts.length) this.#grow();
  }

  /** Adds all counts of another table. */
  addAll(other: IntCounts): void {
    const keys = other.#keys;
    const counts = other.#counts;
    for (let slot = 0; slot < counts.length; slot++) {
      const count = counts[slot]!;
      if (count !== 0) this.add(keys[slot]!, count);
    }
  }

  /** The highest count; 0 if there is none. */
  max(): number {
    let max = 0;
    for (const count of this.#counts) if (count > max) max = count;
    return max;
  }

  /** The keys whose count is `count` (positive). */
  keysOf(count: number): number[] {
    const keys: number[] = [];
    this.#counts.forEach((other, slot) => {
      if (other === count) keys.push(this.#keys[slot]!);
    });
    return keys;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#size = 0;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#keys = new Int32Array(keys.length * 2);
    this.#counts = new Int32Array(counts.length * 2);
    this.#shift--;
    this.#size = 0;
    for (let slot = 0; slot < counts.length; slot++) {
      const count = counts[slot]!;
      if (count !== 0) this.add(keys[slot]!, count);
    }
  }
}
