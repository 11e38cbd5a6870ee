import type { Stream, StreamWithSides } from '@millrace/core';
import type { DeadLetter, Sink } from '@millrace/core/spi';
import { map, sinkTo } from '@millrace/operators';
import { idOf, sinkId } from './build-job.js';
import type { BranchPlan, RefusalPlan, SimulatedRecord } from './job-plan.js';

/** The policy of operators whose functions refuse records; however many there are. */
export const toDeadLetters = { action: 'deadLetter', ceiling: 1 } as const;

/** Whether a function that refuses every so-manieth record takes this one. */
export const isTaken = ({ id }: SimulatedRecord, every: number): boolean => id % every !== 1;

export function refuse(record: SimulatedRecord, every: number): SimulatedRecord {
  if (isTaken(record, every)) return record;
  throw new RangeError(`record ${record.id} is refused`);
}

/** Refuses what the branch's plan says that its key function, or its operator, refuses. */
export function refuseAt(
  at: RefusalPlan['at'],
  record: SimulatedRecord,
  { refuses }: BranchPlan,
): SimulatedRecord {
  return refuses?.at === at ? refuse(record, refuses.every) : record;
}

/** Sends the dead letters of an operator to the branch's sink for them. */
export function addDeadLetters(
  output: Stream<unknown>,
  branch: BranchPlan,
  sink: Sink<unknown>,
): void {
  const { side } = output as StreamWithSides<
    unknown,
    { readonly deadLetters: DeadLetter<SimulatedRecord> }
  >;
  side.deadLetters.pipe(
    map(deadLetterRow, { id: `${branch.id}-dead-row` }),
    sinkTo(sinkId(branch, 'dead'), sink),
  );
}

/** Without its position: that of the batch is told where batches mix. */
function deadLetterRow({ record, operator, error }: DeadLetter<SimulatedRecord>) {
  const { id, part } = record ?? { id: -1, part: 0 };
  return { ids: [idOf({ id, part })], operator, code: error.code };
}
