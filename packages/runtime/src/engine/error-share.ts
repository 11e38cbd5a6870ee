import { runtimeLimits } from '../limits.js';

/** How many records of a function's last minute have failed. */
export interface FailedShare {
  readonly failed: number;
  readonly records: number;
}

const { errorWindowMs, errorWindowParts: parts } = runtimeLimits;
const partMs = errorWindowMs / parts;

/**
 * Counts the records that came to one subtask of an operator, and those of them that failed, in the
 * last minute; what is older leaves in parts of ten seconds.
 */
export class ErrorShare {
  private readonly records = new Float64Array(parts);
  private readonly failed = new Float64Array(parts);
  /** The part that is counted in, from when the clock was 0. */
  private part = 0;

  count(records: number, nowMs: number): void {
    this.advance(nowMs);
    this.records[this.part % parts]! += records;
  }

  /** Takes note of a failure; the share of the minute that ends with it. */
  fail(nowMs: number): FailedShare {
    this.advance(nowMs);
    this.failed[this.part % parts]! += 1;
    const failed = sum(this.failed);
    // Loops count a record after it has failed, and windows may fail that are more than records.
    return { failed, records: Math.max(sum(this.records), failed) };
  }

  private advance(nowMs: number): void {
    const part = Math.floor(nowMs / partMs);
    if (part <= this.part) return;
    for (let at = Math.max(this.part + 1, part - parts + 1); at <= part; at += 1) {
      this.records[at % parts] = 0;
      this.failed[at % parts] = 0;
    }
    this.part = part;
  }
}

/** One count for all that an operator does in a stage: keys, records and firings. */
export class ErrorShares {
  private readonly byOperator = new Map<string, ErrorShare>();

  of(operator: string): ErrorShare {
    const share = this.byOperator.get(operator) ?? new ErrorShare();
    this.byOperator.set(operator, share);
    return share;
  }
}

const sum = (counts: Float64Array): number => counts.reduce((all, count) => all + count, 0);
