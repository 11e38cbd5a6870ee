import type { SplitTime } from './split-time.js';

/** Splits of several sources that wait for the slowest of them. */
export class AlignmentGroup {
  private readonly members = new Set<SplitTime>();
  private readonly listeners: (() => void)[] = [];
  private othersMs: number;

  /** @param othersMs lowest watermark of the group's members in other slots, as far as is known */
  constructor(othersMs: number) {
    this.othersMs = othersMs;
  }

  /** Calls back whenever a member's watermark has moved, here or in another slot. */
  onAdvance(listener: () => void): void {
    this.listeners.push(listener);
  }

  advanced(): void {
    for (const listener of this.listeners) listener();
  }

  /** Members in other slots are so far. */
  hearOthers(lowestMs: number): void {
    this.othersMs = lowestMs;
    this.advanced();
  }

  join(split: SplitTime): void {
    this.members.add(split);
  }

  leave(split: SplitTime): void {
    this.members.delete(split);
  }

  /** Lowest watermark of the members that are not idle, in all slots; +∞ when there is none. */
  lowest(): number {
    return Math.min(this.lowestHere(), this.othersMs);
  }

  /** The same of the members in this slot. */
  lowestHere(): number {
    let lowest = Infinity;
    for (const split of this.members) {
      if (!split.isIdle && split.watermark < lowest) lowest = split.watermark;
    }
    return lowest;
  }
}

/** The job's groups by name, with the members that a slot has of them. */
export class AlignmentGroups {
  private readonly groups = new Map<string, AlignmentGroup>();
  private readonly othersMs: number;

  /** @param slots others have said nothing yet, so nobody runs ahead of them */
  constructor(slots: number) {
    this.othersMs = slots > 1 ? -Infinity : Infinity;
  }

  named(name: string | undefined): AlignmentGroup | undefined {
    if (name === undefined) return undefined;
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new AlignmentGroup(this.othersMs);
      this.groups.set(name, group);
    }
    return group;
  }

  entries(): Iterable<[string, AlignmentGroup]> {
    return this.groups;
  }
}
