/** Steps of a snapshot: `done`, or `more` to be done in the next one. */
export type StepResult = 'done' | 'more';

/** Fewer slots than this share of the key groups are sorted: to count goes through all groups. */
const sparseShare = 1 / 4;

/**
 * Puts slots in the order of their key groups by a counting sort, a bounded number at a time:
 * blocks of one key group lie together, so that a restore of some groups reads only those.
 */
export class GroupOrder {
  /** The slots in order; valid when `step` has said done. */
  readonly slots: Int32Array;
  private readonly groups: Uint16Array;
  private readonly groupCount: number;
  /** How many slots each group has, then where it ends; of a few slots nothing. */
  private readonly ends: Int32Array;
  private readonly count: number;
  private readonly slotAt: (index: number) => number;
  /** The slot's key group, or −1 where it is not wanted. */
  private readonly groupOf: (slot: number) => number;
  private counted = 0;
  private placed = 0;
  private wanted = 0;
  private isSummed = false;

  constructor(
    count: number,
    groupCount: number,
    slotAt: (index: number) => number,
    groupOf: (slot: number) => number,
  ) {
    this.count = count;
    this.groupCount = groupCount;
    this.groups = new Uint16Array(count);
    this.slots = new Int32Array(count);
    this.ends = new Int32Array(count < groupCount * sparseShare ? 0 : groupCount + 1);
    this.slotAt = slotAt;
    this.groupOf = groupOf;
  }

  /** How many slots are wanted; valid when `step` has said done. */
  get length(): number {
    return this.wanted;
  }

  step(slotsMax: number): StepResult {
    if (this.counted < this.count) {
      this.countGroups(Math.min(this.count, this.counted + slotsMax));
      return 'more';
    }
    if (this.ends.length === 0) {
      this.sort();
      return 'done';
    }
    if (!this.isSummed) this.sum();
    if (this.placed < this.count) this.place(Math.min(this.count, this.placed + slotsMax));
    return this.placed < this.count ? 'more' : 'done';
  }

  private countGroups(to: number): void {
    const { ends, groups, groupCount } = this;
    const isCounting = ends.length > 0;
    for (let i = this.counted; i < to; i += 1) {
      const group = this.groupOf(this.slotAt(i));
      const at = group < 0 ? groupCount : group;
      groups[i] = at;
      if (group >= 0) this.wanted += 1;
      if (isCounting) ends[at]! += 1;
    }
    this.counted = to;
  }

  /** Group and index as one number, so that a group's slots keep their order. */
  private sort(): void {
    const { groups, slots, count } = this;
    const order = Float64Array.from(groups, (group, i) => group * count + i).sort();
    for (let i = 0; i < count; i += 1) slots[i] = this.slotAt(order[i]! % count);
  }

  /** Makes of the counts where each group begins. */
  private sum(): void {
    let begin = 0;
    for (let group = 0; group < this.ends.length; group += 1) {
      const { [group]: count } = this.ends;
      this.ends[group] = begin;
      begin += count!;
    }
    this.isSummed = true;
  }

  private place(to: number): void {
    const { ends, groups, slots } = this;
    for (let i = this.placed; i < to; i += 1) {
      const group = groups[i]!;
      slots[ends[group]!] = this.slotAt(i);
      ends[group]! += 1;
    }
    this.placed = to;
  }
}
