import { toMillraceError } from '@millrace/core/internal';
import type { WatermarkGenerator, WatermarkStrategy } from '@millrace/core/spi';

/** A time as JSON has it: infinities are words. */
export type JsonTime = number | string;

export const toJson = (time: number): JsonTime => (Number.isFinite(time) ? time : String(time));

/** A split's event time in a checkpoint. */
export interface SplitTimeSnapshot {
  readonly highest: JsonTime;
  readonly mark: JsonTime;
  readonly pending: JsonTime;
}

/** Event time of one split: its watermark, and whether it is idle. */
export class SplitTime {
  /** Highest timestamp seen; kept here by the generated loop. */
  highest = -Infinity;
  /** A batch is cut behind a record with at least this timestamp. */
  cutAt = -Number.MAX_VALUE;
  isIdle = false;
  isPaused = false;
  /** Processing time since when it has had no records; undefined while it has. */
  emptySinceMs: number | undefined = undefined;
  /** For how long it has been known to have none, beside a busy one; undefined: it is not. */
  emptyForMs: number | undefined = undefined;
  /** The next record has been told of, ahead of a step at which it failed: it is tried again. */
  isTold = false;
  private mark = -Infinity;
  /** Where a punctuation or generator says the watermark is. */
  private pending = -Infinity;
  private readonly strategy: WatermarkStrategy<unknown>;
  private readonly generator: WatermarkGenerator | undefined;

  constructor(strategy: WatermarkStrategy<unknown>) {
    this.strategy = strategy;
    try {
      this.generator = strategy.generator?.();
    } catch (error) {
      throw toMillraceError(error, 'ERR_FUNCTION_THREW');
    }
    if (strategy.kind === 'none') this.cutAt = Infinity;
  }

  get watermark(): number {
    return this.mark;
  }

  /** For a checkpoint: where watermarks go on from. */
  snapshot(): SplitTimeSnapshot {
    return {
      highest: toJson(this.highest),
      mark: toJson(this.mark),
      pending: toJson(this.pending),
    };
  }

  restore({ highest, mark, pending }: SplitTimeSnapshot): void {
    const { stepMs, outOfOrdernessMs } = this.strategy;
    this.highest = Number(highest);
    this.mark = Number(mark);
    this.pending = Number(pending);
    if (this.strategy.kind === 'none' || this.mark === -Infinity) return;
    this.cutAt = (this.stepOf(this.mark) + 1) * stepMs + outOfOrdernessMs;
  }

  /**
   * Takes note of a record; true when the watermark now crosses a multiple of the step, so that
   * the batch is to be cut behind it.
   */
  onRecord(value: unknown, timestamp: number): boolean {
    if (timestamp > this.highest) this.highest = timestamp;
    if (this.isTold) return true;
    if (this.strategy.kind === 'punctuated') {
      const punctuation = this.strategy.punctuation!(value, timestamp);
      if (punctuation !== undefined && punctuation > this.mark) this.pending = punctuation;
      return this.pending > this.mark;
    }
    if (this.generator !== undefined) {
      this.generator.onRecord(value, timestamp);
      this.pending = this.generator.current();
      return this.stepOf(this.pending) > this.stepOf(this.mark);
    }
    return timestamp >= this.cutAt;
  }

  /**
   * Moves the watermark, if it has crossed a step since it last moved: so where watermarks stand
   * depends on the split's data alone, not on how it was cut into chunks. True when it moved.
   */
  advance(): boolean {
    const { kind, stepMs, outOfOrdernessMs } = this.strategy;
    const follows = kind === 'bounded' || kind === 'monotonous';
    if (follows ? !(this.highest >= this.cutAt) : !(this.pending > this.mark)) return false;
    const next = follows ? this.highest - outOfOrdernessMs : this.pending;
    const crossed = kind === 'punctuated' || this.stepOf(next) > this.stepOf(this.mark);
    if (!crossed || !(next > this.mark)) return false;
    this.mark = next;
    this.cutAt = (this.stepOf(next) + 1) * stepMs + outOfOrdernessMs;
    return true;
  }

  private stepOf(time: number): number {
    return Math.floor(time / this.strategy.stepMs);
  }
}
