import type { Key } from '@millrace/core';
import type { KeyTable, KeyTableSpec } from '@millrace/core/spi';
import { ChangeTracker } from './change-tracker.js';
import { copyOfRecord } from './copy-of-record.js';
import { KeyIndex, SlotKind } from './key-index.js';
import { stateLimits } from './limits.js';
import type { RowsOutside } from './rows-outside.js';
import type { TextKeys } from './text-keys.js';

const noMarks = new Uint16Array(0);

/** Keys by slot: integers and short texts, what the slot holds, and the key's group + 1 where known. */
export interface KeyColumns {
  readonly keys: Int32Array;
  readonly texts: TextKeys | undefined;
  readonly kinds: Uint8Array;
  readonly groups: Uint16Array;
}

/** Rows of accumulators by key on the heap: numbers in one typed array, references in another. */
export class HeapKeyTable implements KeyTable {
  numbers: Float64Array;
  refs: unknown[];
  marks: Uint16Array;
  epoch: number;
  readonly numberStride: number;
  readonly refStride: number;
  readonly rewriteShare: number;
  readonly alternates = false;
  /** Undefined: changes are not tracked. */
  readonly changes: ChangeTracker | undefined;
  /** Numbers and references of rows kept aside. */
  asideNumbers = new Float64Array(0);
  asideRefs: unknown[] = [];
  /** Key group + 1 of each slot, as far as a snapshot has looked; 0 where not. */
  private groups: Uint16Array | undefined;
  private rows: number = stateLimits.tableRowsInitial;
  private readonly index = new KeyIndex();
  private readonly initialNumbers: Float64Array;
  private readonly initialRefs: readonly (() => unknown)[];
  /** References of the row that is being made. */
  private readonly newRefs: unknown[];

  /** Rows that are not in memory; undefined where all are. */
  readonly outside: RowsOutside | undefined;

  constructor(
    { numbers, refs }: KeyTableSpec,
    tracking: 'tracked' | 'untracked' = 'untracked',
    outside?: (table: HeapKeyTable) => RowsOutside,
  ) {
    this.initialNumbers = Float64Array.from(numbers);
    this.initialRefs = refs;
    this.newRefs = new Array(refs.length).fill(undefined);
    this.numberStride = numbers.length;
    this.refStride = refs.length;
    const { rewriteShare, numbersRewriteShare } = stateLimits;
    // Rows that a snapshot of all rows took cannot be moved out before the next one.
    const isCheap = refs.length === 0 && outside === undefined;
    this.rewriteShare = isCheap ? numbersRewriteShare : rewriteShare;
    this.numbers = new Float64Array(this.rows * this.numberStride);
    this.refs = new Array(this.rows * this.refStride).fill(undefined);
    // Marks also say which rows are in use, so that the others are moved out.
    const marks = tracking === 'tracked' || outside !== undefined;
    this.changes = marks
      ? new ChangeTracker(this, outside === undefined ? 'fresh' : 'listed')
      : undefined;
    this.marks = this.changes?.marks ?? noMarks;
    this.epoch = this.changes?.writeEpoch ?? 0;
    this.outside = outside?.(this);
  }

  get high(): number {
    return this.index.high;
  }

  /** Rows in memory and outside. */
  get size(): number {
    return this.index.size + (this.outside?.count ?? 0);
  }

  get sizeInMemory(): number {
    return this.index.size;
  }

  /** Estimate of what the table takes in memory, bytes. */
  get bytes(): number {
    const row = 8 * this.numberStride + 56 * this.refStride + (this.changes ? 2 : 0);
    return this.rows * row + this.index.bytes;
  }

  slot(key: Key): number {
    const found = this.find(key);
    return found < 0 ? this.make(key) : found;
  }

  find(key: Key): number {
    const found = this.index.find(key);
    return found >= 0 || this.outside === undefined ? found : this.outside.fetch(key);
  }

  slotsOf(keys: readonly Key[], from: number, to: number, slots: Int32Array): void {
    for (let i = from; i < to; i += 1) {
      const found = this.find(keys[i]!);
      slots[i - from] = found < 0 ? ~this.make(keys[i]!) : found;
    }
  }

  slotsOfRows(other: HeapKeyTable, from: number, to: number, slots: Int32Array): void {
    const { integers, kinds } = other.index;
    for (let row = from; row < to; row += 1) {
      let slot = -1;
      if (kinds[row] === SlotKind.integer) slot = this.slot(integers[row]!);
      else if (kinds[row] !== SlotKind.free) slot = this.slot(other.index.keyAt(row));
      slots[row - from] = slot;
    }
  }

  copyKeys(from: number, to: number, keys: Key[], at: number): void {
    const { integers, kinds } = this.index;
    for (let slot = from; slot < to; slot += 1) {
      const isInteger = kinds[slot] === SlotKind.integer;
      keys[at + slot - from] = isInteger ? integers[slot]! : this.index.keyAt(slot);
    }
  }

  /** The key's slot, or −1 where the row is not in memory. */
  findInMemory(key: Key): number {
    return this.index.find(key);
  }

  touch(slot: number): void {
    this.changes?.touch(slot);
    this.outside?.changed(slot);
  }

  isLive(slot: number): boolean {
    return this.index.isLive(slot);
  }

  keyAt(slot: number): Key {
    return this.index.keyAt(slot);
  }

  remove(slot: number): void {
    this.changes?.gone(slot);
    this.outside?.removing(slot);
    this.release(slot);
  }

  /** A row comes back from outside; it is to be filled as it was. */
  admit(key: Key): number {
    const slot = this.insert(key);
    this.changes?.arrived(slot);
    return slot;
  }

  /** A row leaves memory: it is outside as it is here. */
  expel(slot: number): void {
    this.release(slot);
  }

  clear(): void {
    this.refs.fill(undefined, 0, this.index.high * this.refStride);
    this.index.clear();
    this.changes?.reset();
    this.epoch = this.changes?.writeEpoch ?? 0;
    this.outside?.cleared();
  }

  /** Begins an epoch; undefined when nothing has changed in the one that ends. */
  freeze(): ReturnType<ChangeTracker['freeze']> | undefined {
    const { changes } = this;
    if (changes === undefined) return undefined;
    if (!changes.hasChanges) {
      changes.settle();
      return undefined;
    }
    const frozen = changes.freeze(this.high, this.size, this.outside?.count);
    this.epoch = changes.writeEpoch;
    return frozen;
  }

  /** The snapshot has been written, or is lost. */
  endSnapshot(outcome: 'encoded' | 'lost'): void {
    const changes = this.changes!;
    changes.release(outcome, this.outside?.count);
    if (outcome === 'encoded' && this.outside === undefined) changes.relax();
    this.epoch = changes.writeEpoch;
  }

  /** What the last snapshot wrote is lost. */
  loseSnapshot(): void {
    this.changes?.lose(this.outside?.count);
  }

  /** Begins an epoch where nobody takes snapshots, so that rows may be moved out. */
  age(): void {
    this.changes!.age();
    this.epoch = this.changes!.epoch;
  }

  keepAside(slot: number, at: number): void {
    const { numberStride: ns, refStride: rs } = this;
    if ((at + 1) * ns > this.asideNumbers.length) {
      const larger = new Float64Array(Math.max(64 * ns, this.asideNumbers.length * 2));
      larger.set(this.asideNumbers);
      this.asideNumbers = larger;
    }
    const { asideNumbers, numbers } = this;
    for (let i = 0; i < ns; i += 1) asideNumbers[at * ns + i] = numbers[slot * ns + i]!;
    // Aggregators may change what a reference refers to.
    for (let j = 0; j < rs; j += 1) {
      this.asideRefs[at * rs + j] = copyOfRecord(this.refs[slot * rs + j]);
    }
  }

  forgetAside(count: number): void {
    // Kept for the next snapshot, unless it was made for a much larger one.
    if (count * this.numberStride * 8 < this.asideNumbers.length) {
      this.asideNumbers = new Float64Array(0);
    }
    if (this.asideRefs.length > 0) this.asideRefs = [];
  }

  /** Whether all keys are 32-bit integers. */
  get hasIntegerKeysOnly(): boolean {
    return this.index.hasIntegersOnly;
  }

  /** The columns that a snapshot reads; good until the table changes. */
  columns(): KeyColumns {
    const { integers, texts, kinds } = this.index;
    if (this.groups === undefined || this.groups.length < this.high) {
      const groups = new Uint16Array(this.rows);
      groups.set(this.groups ?? []);
      this.groups = groups;
    }
    return { keys: integers, texts, kinds, groups: this.groups };
  }

  /** A row for a key as a snapshot has it: made if need be, and not marked as changed. */
  restoreSlot(key: Key): number {
    this.leaveFresh();
    const found = this.find(key);
    if (found >= 0) {
      this.outside?.changed(found);
      return found;
    }
    const slot = this.insert(key);
    if (this.changes !== undefined) this.marks[slot] = 0;
    this.outside?.made(slot);
    return slot;
  }

  /** Takes a row out that a later part of a snapshot says is gone. */
  restoreRemoval(key: Key): void {
    this.leaveFresh();
    const slot = this.find(key);
    if (slot < 0) return;
    this.outside?.removing(slot);
    this.release(slot);
  }

  private leaveFresh(): void {
    if (this.changes === undefined) return;
    this.changes.leaveFresh();
    this.epoch = this.changes.writeEpoch;
  }

  private release(slot: number): void {
    this.index.remove(slot);
    for (let j = 0; j < this.refStride; j += 1) this.refs[slot * this.refStride + j] = undefined;
  }

  private make(key: Key): number {
    const { refStride, newRefs } = this;
    // Ahead of the row: functions of the author's may throw.
    for (let j = 0; j < refStride; j += 1) newRefs[j] = this.initialRefs[j]!();
    const slot = this.insert(key);
    this.changes?.born(slot);
    this.outside?.made(slot);
    const n = slot * this.numberStride;
    for (let i = 0; i < this.numberStride; i += 1) this.numbers[n + i] = this.initialNumbers[i]!;
    const r = slot * refStride;
    for (let j = 0; j < refStride; j += 1) {
      this.refs[r + j] = newRefs[j];
      newRefs[j] = undefined;
    }
    return slot;
  }

  private insert(key: Key): number {
    const slot = this.index.insert(key);
    while (slot >= this.rows) this.grow();
    if (this.groups !== undefined && slot < this.groups.length) this.groups[slot] = 0;
    return slot;
  }

  private grow(): void {
    this.rows *= 2;
    if (this.numberStride > 0) {
      const numbers = new Float64Array(this.rows * this.numberStride);
      numbers.set(this.numbers);
      this.numbers = numbers;
    }
    if (this.changes === undefined) return;
    this.changes.grow(this.rows);
    this.marks = this.changes.marks;
  }
}
