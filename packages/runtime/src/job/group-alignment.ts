import type { Cancellable, Scheduler } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';

/** Tells a slot how far the slowest member of a group in the other slots is. */
export type TellSlot = (slot: number, group: string, othersMs: number) => void;

/** Lowest watermarks by slot; −∞ until it has said something, or been told something. */
interface Group {
  readonly lowest: number[];
  readonly told: number[];
}

/**
 * The leader's side of alignment groups: of what each slot says the others hear the lowest, at most
 * every `alignmentUpdateMs`, however many slots there are.
 */
export class GroupAlignment {
  private readonly groups = new Map<string, Group>();
  private readonly slots: number;
  private readonly scheduler: Scheduler;
  private readonly tell: TellSlot;
  private timer: Cancellable | undefined;
  private isClosed = false;

  /** @param slots each of which reports each group of the job, also one that it has no member of */
  constructor(slots: number, scheduler: Scheduler, tell: TellSlot) {
    this.slots = slots;
    this.scheduler = scheduler;
    this.tell = tell;
  }

  /** The slowest member in a slot is so far; +∞ where there is none that others wait for. */
  report(slot: number, name: string, lowestMs: number): void {
    if (this.isClosed) return;
    this.groupOf(name).lowest[slot] = lowestMs;
    this.timer ??= this.scheduler.after(runtimeLimits.alignmentUpdateMs, () => {
      this.timer = undefined;
      for (const [group, times] of this.groups) this.update(group, times);
    });
  }

  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
  }

  private update(name: string, { lowest, told }: Group): void {
    const slowest = lowest.indexOf(Math.min(...lowest));
    const second = Math.min(...lowest.filter((_, slot) => slot !== slowest));
    for (let slot = 0; slot < this.slots; slot += 1) {
      const othersMs = slot === slowest ? second : lowest[slowest]!;
      if (told[slot] === othersMs) continue;
      told[slot] = othersMs;
      this.tell(slot, name, othersMs);
    }
  }

  private groupOf(name: string): Group {
    let group = this.groups.get(name);
    if (group === undefined) {
      const unknown = (): number[] => new Array<number>(this.slots).fill(-Infinity);
      group = { lowest: unknown(), told: unknown() };
      this.groups.set(name, group);
    }
    return group;
  }
}
