import type { RecordContext } from '@millrace/core/internal';
import type { RecordFailure } from '@millrace/core/spi';
import type { LoopInput } from '../codegen/loop.js';
import type { OperatorMetrics } from '../metrics/operator-metrics.js';
import type { LoopStep } from '../plan/stage-plan.js';
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

  constructor(members: readonly LoopMember[]) {
    this.members = members;
    this.passed = new Float64Array(members.filter(({ step }) => step !== undefined).length);
  }

  async open(): Promise<void> {
    for (const { step, context } of this.members) {
      const setup = step?.operator.lifecycle?.setup;
      if (setup !== undefined) context!.resource = await setup(context!);
    }
  }

  async close(): Promise<void> {
    for (const { step, context } of this.members) {
      await step?.operator.lifecycle?.teardown?.(context!.resource);
    }
  }

  /** Where to go on after a failure: at the record again, or behind it. */
  afterFailure(failure: RecordFailure, input: LoopInput, position?: string): number {
    const { index, operatorId, cause } = failure;
    const member = this.members.find(({ metrics }) => metrics.operator === operatorId)!;
    const decision = member.failures.decide({
      cause,
      position,
      record: input.values[index],
      timestamp: input.timestamps?.[index] ?? 0,
    });
    return decision === 'retry' ? index : index + 1;
  }

  /** Counts `records` that went into the loop, for each operator by what reached it. */
  count(records: number): void {
    let left = records;
    let k = 0;
    const { members, passed } = this;
    for (let m = 0; m < members.length; m += 1) {
      const { metrics, step } = members[m]!;
      metrics.numRecordsIn += left;
      if (step?.operator.form === 'filter') {
        left = passed[k]!;
        passed[k] = 0;
      }
      if (step !== undefined) k += 1;
      // What the last one gives is counted where it leaves the stage.
      if (m < members.length - 1) metrics.numRecordsOut += left;
    }
  }
}
