import { runtimeLimits } from '../limits.js';

/** How many records of a function's last minute have failed. */
export interface FailedShare {
  readonly failed: number;
  readonly records: number;
}

/**
 * Counts the records that came to one subtask of an operator, and those of them that failed. It looks
 * at the clock only when one fails: what came in the time before is taken to have come evenly.
 */
export class ErrorShare {
  private records = 0;
  private failed = 0;
  private startMs: number;
  /** Of the last minute ahead of `startMs`. */
  private before: FailedShare = { failed: 0, records: 0 };

  constructor(nowMs: number) {
    this.startMs = nowMs;
  }

  count(records: number): void {
    this.records += records;
  }

  /** Takes note of a failure; the share of the minute that ends with it. */
  fail(nowMs: number): FailedShare {
    const { errorWindowMs } = runtimeLimits;
    const passedMs = nowMs - this.startMs;
    if (passedMs > errorWindowMs) {
      const share = errorWindowMs / passedMs;
      this.before = { failed: this.failed * share, records: this.records * share };
      this.records = 0;
      this.failed = 0;
      this.startMs = nowMs;
    }
    this.failed += 1;
    const { before } = this;
    const share = 1 - (nowMs - this.startMs) / errorWindowMs;
    const failed = this.failed + before.failed * share;
    // Loops count a record after it has failed, and windows may fail that are more than records.
    return { failed, records: Math.max(this.records + before.records * share, failed) };
  }
}
