import type { WatermarkStrategy } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import type { AlignmentGroup } from './alignment-group.js';
import { type JsonTime, SplitTime, type SplitTimeSnapshot, toJson } from './split-time.js';

/** A source's event time in a checkpoint. */
export interface SourceTimeSnapshot {
  readonly mark: JsonTime;
  readonly splits: Readonly<Record<string, SplitTimeSnapshot>>;
}

/** Event time of a source's splits together: the lowest watermark of those that are not idle. */
export class SourceTime {
  private readonly splits = new Map<string, SplitTime>();
  private mark = -Infinity;
  private wasIdle = false;
  /** When it was last looked which splits are empty beside busy ones, epoch ms. */
  private lookedAtMs = -Infinity;
  private readonly strategy: WatermarkStrategy<unknown>;
  private readonly group: AlignmentGroup | undefined;

  private readonly withoutSplits: 'idle' | 'waits';

  /** @param withoutSplits `idle`: nobody waits for a subtask that has no splits; others have some */
  constructor(
    strategy: WatermarkStrategy<unknown>,
    group: AlignmentGroup | undefined,
    withoutSplits: 'idle' | 'waits' = 'waits',
  ) {
    this.strategy = strategy;
    this.group = group;
    this.withoutSplits = withoutSplits;
  }

  get watermark(): number {
    return this.mark;
  }

  snapshot(): SourceTimeSnapshot {
    const splits = [...this.splits].map(([id, split]) => [id, split.snapshot()]);
    return { mark: toJson(this.mark), splits: Object.fromEntries(splits) };
  }

  /** Takes up where a checkpoint stood; the watermark of then is to be sent again. */
  restore({ mark, splits }: SourceTimeSnapshot): void {
    this.mark = Number(mark);
    for (const [id, split] of Object.entries(splits)) this.add(id, split);
  }

  add(split: string, restored?: SplitTimeSnapshot): void {
    const time = new SplitTime(this.strategy);
    if (restored !== undefined) time.restore(restored);
    this.splits.set(split, time);
    this.group?.join(time);
  }

  of(split: string): SplitTime {
    return this.splits.get(split)!;
  }

  /** The split has ended: it holds nothing up any more. */
  remove(split: string): void {
    const time = this.splits.get(split);
    if (time !== undefined) this.group?.leave(time);
    this.splits.delete(split);
  }

  /** There are no more records: nobody in the alignment group waits for it. */
  end(): void {
    for (const split of this.splits.values()) this.group?.leave(split);
    this.groupAdvanced();
  }

  /** The source's watermark, if it has moved since the last call. */
  advanced(): number | undefined {
    let lowest = Infinity;
    let highest = -Infinity;
    for (const split of this.splits.values()) {
      if (!split.isIdle && split.watermark < lowest) lowest = split.watermark;
      if (split.watermark > highest) highest = split.watermark;
    }
    if (lowest === Infinity) lowest = this.strategy.allIdle === 'advance' ? highest : -Infinity;
    if (!(lowest > this.mark)) return undefined;
    this.mark = lowest;
    return lowest;
  }

  /** A split gave records. */
  onRecords(split: SplitTime): void {
    split.isIdle = false;
    split.emptySinceMs = undefined;
    split.emptyForMs = undefined;
    this.wasIdle = false;
  }

  /** Whether a split may become idle while another one has records. */
  get mayIdleBesideBusy(): boolean {
    return this.splits.size > 1 && this.strategy.idleAfterMs < Infinity;
  }

  /** Whether `onBusy` is to be called: a few times in the time after which a split is idle. */
  isLookDue(nowMs: number): boolean {
    const intervalMs = this.strategy.idleAfterMs * runtimeLimits.idleLookShare;
    // The clock may have been set back.
    return Math.abs(nowMs - this.lookedAtMs) >= intervalMs;
  }

  /**
   * A split has given records, and may do so for long: others that have been known to be empty for
   * long enough become idle. Returns whether one did.
   *
   * @param isEmpty whether a split is known to have no records now
   */
  onBusy(nowMs: number, isEmpty: (split: string) => boolean): boolean {
    const { idleAfterMs } = this.strategy;
    // Of the time in which it was stopped a process may not have heard yet.
    const countsAtMostMs = idleAfterMs * runtimeLimits.idleCreditShare;
    const passedMs = Math.min(Math.max(0, nowMs - this.lookedAtMs), countsAtMostMs);
    this.lookedAtMs = nowMs;
    let becameIdle = false;
    for (const [id, split] of this.splits) {
      if (split.isIdle) continue;
      // A paused split has records; it waits for others.
      if (split.isPaused || !isEmpty(id)) split.emptyForMs = undefined;
      else if (split.emptyForMs === undefined) split.emptyForMs = 0;
      else {
        split.emptyForMs += passedMs;
        if (split.emptyForMs < idleAfterMs) continue;
        this.makeIdle(split);
        becameIdle = true;
      }
    }
    return becameIdle;
  }

  /**
   * No split has records now: those without any for long enough become idle. Returns whether the
   * source became idle as a whole, and when to look again (epoch ms).
   */
  onEmpty(nowMs: number): { readonly becameIdle: boolean; readonly lookAtMs: number } {
    const { idleAfterMs } = this.strategy;
    let lookAtMs = Infinity;
    let allIdle = this.splits.size > 0 || this.withoutSplits === 'idle';
    for (const split of this.splits.values()) {
      // A paused split has records; it waits for others.
      if (split.isPaused) allIdle = false;
      if (split.isIdle || split.isPaused || idleAfterMs === Infinity) {
        if (!split.isIdle) allIdle = false;
        continue;
      }
      split.emptySinceMs ??= nowMs;
      if (nowMs - split.emptySinceMs >= idleAfterMs) this.makeIdle(split);
      else {
        allIdle = false;
        lookAtMs = Math.min(lookAtMs, split.emptySinceMs + idleAfterMs);
      }
    }
    const becameIdle = allIdle && !this.wasIdle;
    if (allIdle) this.wasIdle = true;
    return { becameIdle, lookAtMs };
  }

  /** Calls back when a split of the alignment group, of any source, has moved on. */
  onGroupAdvance(listener: () => void): void {
    this.group?.onAdvance(listener);
  }

  groupAdvanced(): void {
    this.group?.advanced();
  }

  /** Splits that must now wait for slower ones of their group, and those that need no more. */
  align(): { readonly pause: string[]; readonly resume: string[] } {
    const pause: string[] = [];
    const resume: string[] = [];
    const maxDriftMs = this.strategy.alignment?.maxDriftMs ?? Infinity;
    const limit = (this.group?.lowest() ?? -Infinity) + maxDriftMs;
    if (this.group === undefined) return { pause, resume };
    for (const [id, split] of this.splits) {
      const ahead = split.watermark > limit;
      if (ahead === split.isPaused) continue;
      split.isPaused = ahead;
      (ahead ? pause : resume).push(id);
    }
    return { pause, resume };
  }

  /** Whoever waited for the split need not any more, though it has not moved on. */
  private makeIdle(split: SplitTime): void {
    split.isIdle = true;
    this.groupAdvanced();
  }
}
