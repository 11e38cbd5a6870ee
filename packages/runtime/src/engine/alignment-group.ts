import type { SplitTime } from './split-time.js';

/** Splits of several sources that wait for the slowest of them. */
export class AlignmentGroup {
  private readonly members = new Set<SplitTime>();

  private readonly listeners: (() => void)[] = [];

  /** Calls back whenever a member's watermark has moved. */
  onAdvance(listener: () => void): void {
    this.listeners.push(listener);
  }

  advanced(): void {
    for (const listener of this.listeners) listener();
  }

  join(split: SplitTime): void {
    this.members.add(split);
  }

  leave(split: SplitTime): void {
    this.members.delete(split);
  }

  /** Lowest watermark of the members that are not idle; +∞ when there is none. */
  lowest(): number {
    let lowest = Infinity;
    for (const split of this.members) {
      if (!split.isIdle && split.watermark < lowest) lowest = split.watermark;
    }
    return lowest;
  }
}

/** Groups by name; those of one slot know one another. */
export class AlignmentGroups {
  private readonly groups = new Map<string, AlignmentGroup>();

  named(name: string | undefined): AlignmentGroup | undefined {
    if (name === undefined) return undefined;
    let group = this.groups.get(name);
    if (group === undefined) {
      group = new AlignmentGroup();
      this.groups.set(name, group);
    }
    return group;
  }
}
