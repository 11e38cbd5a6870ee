import { type RecordContext, toMillraceError } from '@millrace/core/internal';
import type { RecordFailure } from '@millrace/core/spi';
import type { LoopInput } from '../codegen/loop.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { LoopStep } from '../plan/stage-plan.js';
import { closeAll } from './close-all.js';
import type { FailurePolicy } from './failure-policy.js';

/** One fused operator: whom to count for, and what to do on errors. */
export interface LoopMember {
  /** Undefined for the source at its beginning, and for the owner of the keyed edge at its end. */
  readonly step: LoopStep | undefined;
  readonly metrics: OperatorMetrics;
  readonly failures: FailurePolicy;
  readonly context: RecordContext | undefined;
}

/** The operators of a loop. */
export class LoopMembers {
  /** Records that each step let through; filters add to it, `count` takes it. */
  readonly passed: Float64Array;
  private readonly members: readonly LoopMember[];
  /** Members whose input is counted here. */
  private readonly counted: number;
  /** Tear-downs of what has been set up. */
  private readonly opened: (() => Promise<void>)[] = [];
  /** Operator at which the next record failed, to be tried again. */
  retriedAt: string | undefined;

  /** @param owner of the keyed edge at the end: whether its own stage counts what comes to it */
  constructor(members: readonly LoopMember[], owner: 'counts' | 'is counted') {
    this.members = members;
    const { step } = members.at(-1) ?? {};
    this.counted = step === undefined && owner === 'counts' ? members.length - 1 : members.length;
    this.passed = new Float64Array(members.filter(({ step }) => step !== undefined).length);
  }

  async open(): Promise<void> {
    for (const { step, context, metrics } of this.members) {
      if (step === undefined) continue;
      const { lifecycle } = step.operator;
      await openFunction(metrics.operator, async () => {
        context!.resource = await lifecycle?.setup?.(context!);
      });
      const close = async (): Promise<void> => lifecycle?.teardown?.(context!.resource);
      this.opened.push(() => openFunction(metrics.operator, close));
    }
  }

  close(): Promise<void> {
    return closeAll(this.opened);
  }

  /** Counts `records` that went through the loop, for each operator by what reached it. */
  count(records: number): void {
    // What is tried again is the first record: with any that went through, it did.
    if (this.retriedAt !== undefined && records > 0) this.endRetry();
    let left = records;
    let k = 0;
    const { members, passed } = this;
    for (let m = 0; m < members.length; m += 1) {
      const { metrics, step, failures } = members[m]!;
      failures.count(left);
      if (m < this.counted) metrics.numRecordsIn += left;
      if (step?.operator.form === 'filter') {
        left = passed[k]!;
        passed[k] = 0;
      }
      if (step !== undefined) k += 1;
      // What the last one gives is counted where it leaves the stage.
      if (m < members.length - 1) metrics.numRecordsOut += left;
    }
  }

  /**
   * Deals with a failure at a record, of which those from `from` on ahead of it went through.
   * Returns where to go on: at the record again, or behind it.
   */
  afterFailure(failure: RecordFailure, input: LoopInput, from: number, position?: string): number {
    const { index, operatorId, cause, detail } = failure;
    const at = this.members.findIndex(({ metrics }) => metrics.operator === operatorId);
    this.forgetPassed(at);
    this.count(index - from);
    const decision = this.members[at]!.failures.decide({
      cause,
      index,
      position,
      record: 'record' in detail ? detail.record : input.values[index],
      timestamp: detail.timestamp ?? input.timestamps?.[index] ?? 0,
    });
    this.retriedAt = decision === 'retry' ? operatorId : undefined;
    if (this.retriedAt !== undefined) return index;
    // Attempts at operators ahead of this one were the record's, too.
    this.endRetry();
    this.countFailed(at);
    return index + 1;
  }

  private endRetry(): void {
    this.retriedAt = undefined;
    for (const { failures } of this.members) failures.succeeded();
  }

  /** The failed record passed the filters ahead of the member it failed at: not counted there yet. */
  private forgetPassed(at: number): void {
    let k = 0;
    for (const { step } of this.members.slice(0, at)) {
      if (step?.operator.form === 'filter') this.passed[k]! -= 1;
      if (step !== undefined) k += 1;
    }
  }

  /** A record that failed at a member came that far, and not out of it. */
  private countFailed(at: number): void {
    for (let m = 0; m <= at; m += 1) {
      const { metrics, failures } = this.members[m]!;
      failures.count(1);
      metrics.numRecordsIn += 1;
      if (m < at) metrics.numRecordsOut += 1;
    }
  }
}

/** Runs an author's set-up or tear-down; what it throws names the operator. */
export async function openFunction(operator: string, setup: () => Promise<void>): Promise<void> {
  try {
    await setup();
  } catch (error) {
    throw toMillraceError(error, 'ERR_FUNCTION_THREW', { operator });
  }
}
