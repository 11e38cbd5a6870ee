import type { Key } from '@millrace/core';
import type { KeyTable, KeyTableSpec } from '@millrace/core/spi';
import { KeyIndex } from './key-index.js';
import { stateLimits } from './limits.js';

/** Rows of accumulators by key on the heap: numbers in one typed array, references in another. */
export class HeapKeyTable implements KeyTable {
  numbers: Float64Array;
  refs: unknown[];
  readonly numberStride: number;
  readonly refStride: number;
  private rows: number = stateLimits.tableRowsInitial;
  private readonly index = new KeyIndex();
  private readonly initialNumbers: Float64Array;
  private readonly initialRefs: readonly (() => unknown)[];

  constructor({ numbers, refs }: KeyTableSpec) {
    this.initialNumbers = Float64Array.from(numbers);
    this.initialRefs = refs;
    this.numberStride = numbers.length;
    this.refStride = refs.length;
    this.numbers = new Float64Array(this.rows * this.numberStride);
    this.refs = new Array(this.rows * this.refStride).fill(undefined);
  }

  get high(): number {
    return this.index.high;
  }

  get size(): number {
    return this.index.size;
  }

  slot(key: Key): number {
    const found = this.index.find(key);
    return found < 0 ? this.make(key) : found;
  }

  find(key: Key): number {
    return this.index.find(key);
  }

  isLive(slot: number): boolean {
    return this.index.isLive(slot);
  }

  keyAt(slot: number): Key {
    return this.index.keyAt(slot);
  }

  remove(slot: number): void {
    this.index.remove(slot);
    for (let j = 0; j < this.refStride; j += 1) this.refs[slot * this.refStride + j] = undefined;
  }

  clear(): void {
    this.refs.fill(undefined, 0, this.index.high * this.refStride);
    this.index.clear();
  }

  private make(key: Key): number {
    const slot = this.index.insert(key);
    if (slot >= this.rows) this.grow();
    const n = slot * this.numberStride;
    for (let i = 0; i < this.numberStride; i += 1) this.numbers[n + i] = this.initialNumbers[i]!;
    const r = slot * this.refStride;
    for (let j = 0; j < this.refStride; j += 1) this.refs[r + j] = this.initialRefs[j]!();
    return slot;
  }

  private grow(): void {
    this.rows *= 2;
    if (this.numberStride > 0) {
      const numbers = new Float64Array(this.rows * this.numberStride);
      numbers.set(this.numbers);
      this.numbers = numbers;
    }
  }
}
