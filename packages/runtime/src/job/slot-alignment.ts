import type { Cancellable, Scheduler } from '@millrace/core/spi';
import type { AlignmentGroups } from '../engine/alignment-group.js';
import { runtimeLimits } from '../limits.js';

export interface SlotAlignmentParts {
  readonly groups: AlignmentGroups;
  readonly scheduler: Scheduler;
  /** Tells whoever leads the attempt how far a group's slowest member here is. */
  readonly tell: (group: string, lowestMs: number) => void;
  /** Sources may go on. */
  readonly wake: () => void;
}

/**
 * A slot's side of alignment groups that have members in several slots: says now and then how far
 * its members are, and hears how far the others' are (Flink's watermark alignment, FLIP-182).
 */
export class SlotAlignment {
  private readonly parts: SlotAlignmentParts;
  private readonly told = new Map<string, number>();
  private timer: Cancellable | undefined;

  constructor(parts: SlotAlignmentParts) {
    this.parts = parts;
  }

  start(): void {
    const { groups, scheduler } = this.parts;
    for (const [name, group] of groups.entries()) this.say(name, group.lowestHere());
    if (this.told.size === 0) return;
    this.timer = scheduler.after(runtimeLimits.alignmentUpdateMs, () => this.start());
  }

  /** Members of the group in other slots are so far. */
  hear(name: string, othersMs: number): void {
    this.parts.groups.named(name)!.hearOthers(othersMs);
    this.parts.wake();
  }

  /** Nothing here holds anybody up any more. */
  end(): void {
    this.timer?.cancel();
    for (const [name] of this.parts.groups.entries()) this.say(name, Infinity);
  }

  private say(name: string, lowestMs: number): void {
    if (this.told.get(name) === lowestMs) return;
    this.told.set(name, lowestMs);
    this.parts.tell(name, lowestMs);
  }
}
