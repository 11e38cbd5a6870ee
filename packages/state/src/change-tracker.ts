import { type Key, MillraceError } from '@millrace/core';
import { AsidePlaces } from './aside-places.js';
import {
  bornBy,
  encodedBy,
  epochMax,
  epochStep,
  Frozen,
  type FrozenChanges,
  type FrozenRows,
  isPending,
} from './frozen-rows.js';
import { stateLimits } from './limits.js';

/** Rows by slot whose changes are tracked. */
export interface TrackedRows {
  isLive(slot: number): boolean;
  keyAt(slot: number): Key;
  /** Share of the rows from which on a snapshot takes all of them; ∞: only where it must. */
  readonly rewriteShare: number;
  /**
   * Rows take long to write, and all their changes are told: behind a snapshot of all rows the next
   * takes what changed.
   */
  readonly alternates: boolean;
  /** Copies what row `slot` holds now to place `at` of the rows kept aside. */
  keepAside(slot: number, at: number): void;
  /** Forgets the rows kept aside, of which there were so many. */
  forgetAside(count: number): void;
}

/**
 * Which rows have changed since the last barrier, and which of them a snapshot still needs as they
 * were at it.
 *
 * Each row has a mark: the epoch (barrier to barrier) in which it was last touched, so that the
 * hot path is one comparison. A barrier takes no time: it begins a new epoch. A row that is touched
 * while the snapshot needs it is copied aside first; nothing is ever encoded on the write path.
 *
 * A snapshot takes the rows that changed, or all rows where most have: writing all of them frees
 * the chain of what was written before. Where rows take long to write, every other snapshot does so
 * at the most: a chain of two is not merged yet. When one is lost, the next one takes all rows.
 *
 * Rows may be moved out of memory while no snapshot needs them, nor would if the last one were lost:
 * those with marks below `movableBelow`. Where rows are outside, snapshots take changes only, and
 * after a loss those that the lost one had.
 *
 * Looking at a row's mark with each change costs a few percent of the hot path. Where most rows change
 * between two barriers it would only tell that again: once the snapshot is written no change is told
 * until the next barrier, which takes all rows, and every so often it is looked at whether that is
 * still so.
 */
export class ChangeTracker {
  marks = new Uint16Array(stateLimits.tableRowsInitial);
  epoch = epochStep;
  /** Rows with a lower mark may be moved out of memory. */
  movableBelow = epochStep;
  /** Slots whose mark is of this epoch, each once; some may be free by now. */
  private dirty: Int32Array = new Int32Array(stateLimits.tableRowsInitial);
  private dirtyCount = 0;
  private removedKeys: Key[] = [];
  private needsAll = false;
  /** Undefined: no snapshot needs anything. */
  private frozen: FrozenRows | undefined;
  /** What was frozen last, until the next barrier: it may be lost after it was written. */
  private last: FrozenChanges | undefined;
  private readonly rows: TrackedRows;
  private readonly aside = new AsidePlaces();

  /** The next snapshot takes all rows, so nothing need be marked: none knows any of them, or most change. */
  private isFresh: boolean;
  private readonly startsFresh: boolean;
  /** Snapshots of all rows to be taken before it is looked at again whether most change. */
  private untoldLeft = 0;

  /** @param start `listed`: rows are marked from the first on, as moving them out of memory needs */
  constructor(rows: TrackedRows, start: 'fresh' | 'listed' = 'fresh') {
    this.rows = rows;
    this.startsFresh = start === 'fresh';
    this.isFresh = this.startsFresh;
  }

  /** What rows' marks are compared with ahead of a change; 0: nothing is to be said. */
  get writeEpoch(): number {
    return this.isFresh ? 0 : this.epoch;
  }

  /** Rows come from a snapshot: changes of them are to be told apart. */
  leaveFresh(): void {
    this.isFresh = false;
  }

  /** Makes room for marks of `capacity` rows. */
  grow(capacity: number): void {
    if (capacity <= this.marks.length) return;
    const marks = new Uint16Array(Math.max(capacity, this.marks.length * 2));
    marks.set(this.marks);
    this.marks = marks;
  }

  /** A row is about to change; called where its mark is older than the epoch. */
  touch(slot: number): void {
    if (this.isFresh) return;
    if (this.frozen !== undefined) this.keepIfNeeded(slot, this.frozen);
    this.addDirty(slot);
    this.marks[slot] = this.epoch;
  }

  /** A row was made. */
  born(slot: number): void {
    if (this.isFresh) {
      this.needsAll = true;
      return;
    }
    this.addDirty(slot);
    this.marks[slot] = this.epoch + bornBy;
  }

  /** A row is about to be removed. */
  gone(slot: number): void {
    if (this.isFresh) return;
    if (this.frozen !== undefined) {
      this.keepIfNeeded(slot, this.frozen);
      this.aside.removing(slot, this.keyAt);
    }
    if (this.marks[slot] === this.epoch + bornBy) return;
    this.removedKeys.push(this.rows.keyAt(slot));
    this.addDirty(slot);
    this.marks[slot] = this.epoch;
  }

  /** A row came back into memory as earlier snapshots have it. */
  arrived(slot: number): void {
    // A slot that is listed as changed stays so: the row is written once more than it need be.
    this.marks[slot] = this.marks[slot]! < this.epoch ? 0 : this.epoch;
  }

  /** Whether the row was made in the epoch that is frozen now: nothing older is known of it. */
  wasBorn(slot: number): boolean {
    return this.marks[slot] === this.frozen!.epoch + bornBy;
  }

  readonly keyAt = (slot: number): Key => this.rows.keyAt(slot);

  /** The key of a row at a place aside, which has or had this slot. */
  asideKeyAt(place: number, slot: number): Key {
    const key = this.aside.keyOf(place);
    return key === undefined ? this.rows.keyAt(slot) : key;
  }

  /**
   * Begins a new epoch; what changed until now is the snapshot's.
   *
   * @param outside rows that are not in memory
   */
  freeze(high: number, live: number, outside = 0): FrozenRows {
    if (this.frozen !== undefined) this.release('lost', outside);
    if (this.epoch >= epochMax) this.renumber();
    const { epoch, dirty, dirtyCount, removedKeys } = this;
    const mostChanged = dirtyCount >= live * this.rows.rewriteShare;
    const isBetween = mostChanged && !this.needsAll && this.mayWait(live);
    const all = outside === 0 && (this.needsAll || (mostChanged && !isBetween));
    if (this.needsAll && !all) {
      throw new MillraceError('ERR_INVARIANT', `${outside} rows of a whole snapshot are outside`);
    }
    if (this.isFresh) this.untoldLeft = Math.max(0, this.untoldLeft - 1);
    else this.untoldLeft = all && !this.needsAll ? stateLimits.untoldEpochsMax : 0;
    this.isFresh = false;
    this.frozen = {
      epoch,
      all,
      high,
      slots: dirty,
      count: all ? high : dirtyCount,
      removedKeys: all ? [] : removedKeys,
      aside: this.aside,
    };
    const spare = this.last?.slots;
    this.last = { epoch, all, slots: dirty, count: dirtyCount, removedKeys };
    this.beginEpoch(spare !== undefined && spare.length <= 8 * dirtyCount ? spare : undefined);
    this.movableBelow = all ? 0 : epoch;
    return this.frozen;
  }

  /** At a barrier ahead of which nothing changed: what was frozen before is safe. */
  settle(): void {
    this.last = undefined;
    this.movableBelow = this.epoch;
  }

  /** Begins a new epoch where nobody takes snapshots; rows of the last one stay for one more. */
  age(): void {
    if (this.epoch >= epochMax) this.renumber();
    const { epoch } = this;
    this.beginEpoch();
    this.settle();
    this.movableBelow = epoch;
  }

  /** Where the content that `slot` had at the barrier is: in place, aside, or not wanted. */
  locate(slot: number): number {
    const frozen = this.frozen!;
    if (isPending(this.marks[slot]!, frozen)) {
      return this.rows.isLive(slot) ? Frozen.inPlace : Frozen.nowhere;
    }
    return this.aside.at(slot);
  }

  /** The slot's frozen content has been encoded. */
  encoded(slot: number): void {
    const frozen = this.frozen!;
    if (isPending(this.marks[slot]!, frozen)) this.marks[slot] = frozen.epoch + encodedBy;
    else this.aside.written(slot);
  }

  /**
   * The snapshot needs nothing any more. `lost`: what it wrote is of no use.
   *
   * @param outside rows that are not in memory
   */
  release(outcome: 'encoded' | 'lost', outside = 0): void {
    this.frozen = undefined;
    this.forgetAside();
    if (outcome === 'lost') this.lose(outside);
  }

  /**
   * Until the next barrier changes need not be told if most rows change from one to the next: it
   * takes all. Its caller must look at `writeEpoch` again.
   */
  relax(): void {
    if (this.untoldLeft === 0 || !this.startsFresh) return;
    this.isFresh = true;
    this.needsAll = true;
    this.movableBelow = 0;
  }

  /** The last snapshot is of no use: the next one takes all rows, or again what that one took. */
  lose(outside = 0): void {
    const { last } = this;
    this.last = undefined;
    if (outside === 0) {
      this.needsAll = true;
      this.movableBelow = 0;
    } else if (last !== undefined) this.takeAgain(last);
    // Otherwise no snapshot has been taken of them yet: they are as they were restored.
  }

  /** All rows are forgotten; for tables that are used again under another name. */
  reset(): void {
    // Marks of this epoch would say that a slot is in the list of dirty ones.
    this.marks.fill(0);
    this.dirtyCount = 0;
    this.removedKeys = [];
    this.needsAll = false;
    this.isFresh = this.startsFresh;
    this.untoldLeft = 0;
    this.frozen = undefined;
    this.settle();
    this.forgetAside();
  }

  get hasChanges(): boolean {
    return this.dirtyCount > 0 || this.removedKeys.length > 0 || this.needsAll;
  }

  /** How many rows are listed as changed in this epoch. */
  get changeCount(): number {
    return this.dirtyCount;
  }

  /** @param spare memory for the list that nobody looks at any more */
  private beginEpoch(spare: Int32Array = new Int32Array(stateLimits.tableRowsInitial)): void {
    this.dirty = spare;
    this.dirtyCount = 0;
    this.removedKeys = [];
    this.needsAll = false;
    this.epoch += epochStep;
  }

  /** Makes the current epoch the first one. */
  private renumber(): void {
    const { marks, epoch } = this;
    for (let slot = 0; slot < marks.length; slot += 1) {
      marks[slot] = marks[slot]! < epoch ? 0 : marks[slot]! - epoch + epochStep;
    }
    this.epoch = epochStep;
  }

  /** Most rows have changed, but a snapshot of all of them was taken just before. */
  private mayWait(live: number): boolean {
    const { alternates } = this.rows;
    const isFew = this.dirtyCount <= live * stateLimits.alternateShareMax;
    return alternates && isFew && this.last?.all === true;
  }

  /** None of these rows has left memory: they could not be moved. */
  private takeAgain({ epoch, slots, count, removedKeys }: FrozenChanges): void {
    for (let i = 0; i < count; i += 1) {
      const slot = slots[i]!;
      const mark = this.marks[slot]!;
      if (mark < epoch || mark >= epoch + epochStep || !this.rows.isLive(slot)) continue;
      this.addDirty(slot);
      this.marks[slot] = this.epoch;
    }
    this.removedKeys = [...removedKeys, ...this.removedKeys];
  }

  private keepIfNeeded(slot: number, frozen: FrozenRows): void {
    if (!isPending(this.marks[slot]!, frozen) || slot >= frozen.high) return;
    this.rows.keepAside(slot, this.aside.add(slot, this.marks.length));
  }

  private forgetAside(): void {
    this.rows.forgetAside(this.aside.count);
    this.aside.reset();
  }

  /** Called ahead of a slot's mark being set, which says that it is listed. */
  private addDirty(slot: number): void {
    if (this.marks[slot]! >= this.epoch) return;
    if (this.dirtyCount === this.dirty.length) {
      const dirty = new Int32Array(this.dirty.length * 2);
      dirty.set(this.dirty);
      this.dirty = dirty;
    }
    this.dirty[this.dirtyCount] = slot;
    this.dirtyCount += 1;
  }
}
