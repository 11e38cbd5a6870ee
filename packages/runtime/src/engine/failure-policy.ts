import { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { DeadLetter, Env, ErrorPolicy, Key, RecordBatch } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import { ErrorShare } from './error-share.js';

/** A record at which a function threw, or input that could not be decoded. */
export interface FailedRecord {
  readonly cause: unknown;
  /** Index in its batch or chunk; −1 for a timer or a window that fired. */
  readonly index: number;
  /** Which of those that fire at one time. */
  readonly of?: unknown;
  /** Whose it is, of those. */
  readonly key?: Key | undefined;
  /** Rows of it cannot be taken back, so it is not tried again. */
  readonly hasGiven?: boolean | undefined;
  readonly record?: unknown;
  readonly raw?: string | Uint8Array | undefined;
  readonly position?: string | undefined;
  readonly timestamp: number;
}

/**
 * Applies the error policy of one operator's subtask, or to its keys in the stage ahead of it. What
 * is tried again between other things has a policy of its own: its attempts are not theirs.
 */
export class FailurePolicy {
  private readonly policy: ErrorPolicy;
  private readonly metrics: OperatorMetrics;
  private readonly clock: Env['clock'];
  private readonly deadLetters: (() => RecordBatch) | undefined;
  private attempts = 0;
  private readonly share: ErrorShare;
  private last = { index: -1, timestamp: Number.NaN, of: undefined as unknown };

  constructor(
    policy: ErrorPolicy,
    metrics: OperatorMetrics,
    clock: Env['clock'],
    deadLetters: (() => RecordBatch) | undefined,
    share = new ErrorShare(),
  ) {
    this.policy = policy;
    this.metrics = metrics;
    this.clock = clock;
    this.deadLetters = deadLetters;
    this.share = share;
  }

  get goesOn(): boolean {
    return this.policy.action !== 'fail';
  }

  /** Records have come, of which none is counted twice. */
  count(records: number): void {
    if (this.goesOn) this.share.count(records, this.clock.monotonicMs());
  }

  /** What was tried again has worked. */
  succeeded(): void {
    this.attempts = 0;
  }

  /**
   * What to do with a failed record.
   *
   * @throws MillraceError when the policy is to fail, or too many have failed
   */
  decide(failure: FailedRecord): 'retry' | 'skip' {
    if (this.policy.action === 'retry') {
      const { index, timestamp, of } = failure;
      const { last } = this;
      // Another one than the last that failed has all of its attempts.
      const isSame = index === last.index && timestamp === last.timestamp && Object.is(of, last.of);
      if (!isSame) this.attempts = 0;
      this.last = { index, timestamp, of };
      this.attempts += 1;
      if (this.attempts < this.policy.attempts! && failure.hasGiven !== true) {
        this.metrics.numRecordsRetried += 1;
        return 'retry';
      }
      this.attempts = 0;
    }
    const action =
      this.policy.action === 'retry' ? (this.policy.otherwise ?? 'fail') : this.policy.action;
    if (action === 'fail') throw this.errorOf(failure);
    this.watchCeiling(failure);
    if (action === 'deadLetter') this.deadLetter(failure);
    else this.metrics.numRecordsSkipped += 1;
    return 'skip';
  }

  private deadLetter(failure: FailedRecord): void {
    const { record, key, raw, position, timestamp } = failure;
    const { code, message } = this.errorOf(failure);
    const letter: DeadLetter = {
      ...(record === undefined ? {} : { record }),
      ...(key === undefined ? {} : { key }),
      ...(raw === undefined ? {} : { raw }),
      ...(position === undefined ? {} : { position }),
      operator: this.metrics.operator,
      timestamp,
      error: { code, message },
    };
    this.metrics.numRecordsDeadLettered += 1;
    this.deadLetters!().emit(letter, timestamp);
  }

  private errorOf({ cause, position }: FailedRecord): MillraceError {
    const context = { operator: this.metrics.operator, position };
    return toMillraceError(cause, 'ERR_FUNCTION_THREW', context);
  }

  private watchCeiling(failure: FailedRecord): void {
    const { failed, records } = this.share.fail(this.clock.monotonicMs());
    const ceiling = this.policy.ceiling ?? runtimeLimits.errorCeilingDefault;
    const recordsMin = this.policy.ceilingRecordsMin ?? runtimeLimits.errorCeilingRecordsMin;
    if (records < recordsMin || failed <= ceiling * records) return;
    throw new MillraceError(
      'ERR_ERROR_CEILING',
      `${failed} of ${records} records failed within a minute, more than ${ceiling * 100} %`,
      { operator: this.metrics.operator, cause: this.errorOf(failure), position: failure.position },
    );
  }
}
