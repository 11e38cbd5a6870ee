import type { StateTime, StateTtl } from '@millrace/core/spi';

/** What time it is for the state of one operator. */
export interface OperatorTime extends StateTime {
  processingMs(): number;
}

/**
 * No entry has been given a time yet: state that was stored before there was a time to live, or
 * written where no event time was known.
 */
export const noStamp = Number.NaN;

/** Says when entries of a state with a time to live have expired. */
export class Expiry {
  readonly refreshesOnRead: boolean;
  readonly hidesExpired: boolean;
  private readonly durationMs: number;
  private readonly isEventTime: boolean;
  private readonly time: OperatorTime;

  constructor(ttl: StateTtl, time: OperatorTime) {
    this.durationMs = ttl.durationMs;
    this.isEventTime = ttl.time === 'event';
    this.refreshesOnRead = ttl.refreshOn === 'readAndWrite';
    this.hidesExpired = ttl.expired === 'hidden';
    this.time = time;
  }

  /** The time that an entry gets which is written or refreshed now; NaN where none is known. */
  stamp(): number {
    if (!this.isEventTime) return this.time.processingMs();
    const timeMs = this.time.recordMs();
    // Ahead of the first watermark, or behind the last one, it would have expired at once.
    return Number.isFinite(timeMs) ? timeMs : noStamp;
  }

  /** The time of an entry that is read now: reading never makes it older. */
  refreshed(stampMs: number): number {
    const nowMs = this.stamp();
    // What has no time yet gets one.
    return stampMs >= nowMs || Number.isNaN(nowMs) ? stampMs : nowMs;
  }

  /** Whether an entry of this time is to be removed. One without a time is not. */
  hasExpired(stampMs: number): boolean {
    const nowMs = this.isEventTime ? this.time.watermarkMs() : this.time.processingMs();
    return stampMs + this.durationMs <= nowMs;
  }
}
