import type { WatermarkStrategy } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import type { AlignmentGroup } from './alignment-group.js';
import { type JsonTime, SplitTime, type SplitTimeSnapshot, toJson } from './split-time.js';

/** A source's event time in a checkpoint. */
export interface SourceTimeSnapshot {
  readonly mark: JsonTime;
  readonly splits: Readonly<Record<string, SplitTimeSnapshot>>;
}

/** Whether a split is known to have no records now; undefined: that can never be known. */
export type IsSplitEmpty = (split: string) => boolean | undefined;

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

  /** A split gave records; true when the source was idle as a whole until now. */
  onRecords(split: SplitTime): boolean {
    split.isIdle = false;
    split.emptySinceMs = undefined;
    split.emptyForMs = undefined;
    return this.wake();
  }

  /** Whether a split may become idle while another one has records. */
  get mayIdleBesideBusy(): boolean {
    return this.splits.size > 1 && this.strategy.idleAfterMs < Infinity;
  }

  /** Whether `onBusy` is to be called: a few times in the time after which a split is idle. */
  isLookDue(nowMs: number): boolean {
    // The clock may have been set back.
    return Math.abs(nowMs - this.lookedAtMs) >= this.lookIntervalMs;
  }

  /**
   * A split has given records, and may do so for long: others that have been known to be empty for
   * long enough become idle. Returns whether one did.
   */
  onBusy(nowMs: number, isEmpty: IsSplitEmpty): boolean {
    const passedMs = this.look(nowMs);
    let becameIdle = false;
    for (const [id, split] of this.splits) {
      // A paused split has records; it waits for others.
      const known = !split.isPaused && isEmpty(id);
      if (known === true) {
        if (this.countEmpty(split, passedMs)) becameIdle = true;
      } else this.forget(split, known);
    }
    return becameIdle;
  }

  /**
   * No split has records now: those without any for long enough become idle, unless they may have
   * some that cannot be had. Returns what the source has become as a whole, and when to look again
   * (epoch ms).
   */
  onEmpty(
    nowMs: number,
    isEmpty: IsSplitEmpty,
  ): { readonly became: 'idle' | 'active' | undefined; readonly lookAtMs: number } {
    const { idleAfterMs } = this.strategy;
    const passedMs = this.look(nowMs);
    let lookAtMs = Infinity;
    let allIdle = this.splits.size > 0 || this.withoutSplits === 'idle';
    for (const [id, split] of this.splits) {
      // A paused split has records; it waits for others.
      if (split.isPaused || idleAfterMs === Infinity) {
        allIdle = false;
        continue;
      }
      const known = isEmpty(id);
      if (known === undefined) {
        if (split.isIdle) continue;
        split.emptySinceMs ??= nowMs;
        const idleAtMs = split.emptySinceMs + idleAfterMs;
        if (nowMs >= idleAtMs) this.makeIdle(split);
        else lookAtMs = Math.min(lookAtMs, idleAtMs);
      } else {
        if (known) this.countEmpty(split, passedMs);
        else this.forget(split, known);
        if (!split.isIdle) lookAtMs = Math.min(lookAtMs, nowMs + this.lookIntervalMs);
      }
      if (!split.isIdle) allIdle = false;
    }
    if (!allIdle) return { became: this.wake() ? 'active' : undefined, lookAtMs };
    const became = this.wasIdle ? undefined : 'idle';
    this.wasIdle = true;
    return { became, lookAtMs };
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
      split.emptySinceMs = undefined;
      (ahead ? pause : resume).push(id);
    }
    return { pause, resume };
  }

  private get lookIntervalMs(): number {
    return this.strategy.idleAfterMs * runtimeLimits.idleLookShare;
  }

  /** The time since the last look that counts, ms. */
  private look(nowMs: number): number {
    // Of the time in which it was stopped a process may not have heard yet.
    const countsAtMostMs = this.strategy.idleAfterMs * runtimeLimits.idleCreditShare;
    const passedMs = Math.min(Math.max(0, nowMs - this.lookedAtMs), countsAtMostMs);
    this.lookedAtMs = nowMs;
    return passedMs;
  }

  /** The split is known to be empty; true when it is idle now and was not. */
  private countEmpty(split: SplitTime, passedMs: number): boolean {
    if (split.isIdle) return false;
    split.emptyForMs = split.emptyForMs === undefined ? 0 : split.emptyForMs + passedMs;
    if (split.emptyForMs < this.strategy.idleAfterMs) return false;
    this.makeIdle(split);
    return true;
  }

  /** The split is not known to be empty; false: it may have records, and is waited for again. */
  private forget(split: SplitTime, known: false | undefined): void {
    split.emptyForMs = undefined;
    if (known === false && !split.isPaused) split.isIdle = false;
  }

  /** The source is not idle as a whole; true when it was until now. */
  private wake(): boolean {
    const { wasIdle } = this;
    this.wasIdle = false;
    return wasIdle;
  }

  /** Whoever waited for the split need not any more, though it has not moved on. */
  private makeIdle(split: SplitTime): void {
    split.isIdle = true;
    this.groupAdvanced();
  }
}
