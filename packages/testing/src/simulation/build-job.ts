import { defineJob, type JobDefinition, type Stream, watermarks } from '@millrace/core';
import type { Sink, Source } from '@millrace/core/spi';
import { filter, flatMap, map, union } from '@millrace/operators';
import { addDeadLetters, refuse, toDeadLetters } from './dead-letters.js';
import type { BranchPlan, JobPlan, SimulatedRecord, StatelessPlan } from './job-plan.js';
import { addKeyed } from './keyed-branch.js';

/** What a job meets outside. */
export interface JobEnds {
  readonly source: (index: number) => Source<SimulatedRecord>;
  readonly sink: (branch: BranchPlan) => Sink<unknown>;
  /** Called at each record of a `fallible` step; may throw. */
  readonly onRecord: (record: SimulatedRecord) => void;
  /** Has time pass in which nothing else happens, ms. */
  readonly spend: (ms: number) => void;
}

/** Outputs that a branch may have; its sinks are named after it and them. */
export type OutputName = 'main' | 'late' | 'dead' | 'side';

export const sinkId = (branch: BranchPlan, output: OutputName): string => `${branch.id}-${output}`;

/** The name that all simulated jobs have. */
const simulatedJobName = 'simulated';

/** The plan as a job that can be run. */
export function buildJob(plan: JobPlan, ends: JobEnds): JobDefinition {
  const sources = plan.sources.map((_, index) => ends.source(index));
  const sinks = plan.branches.map((branch) => ends.sink(branch));
  return defineJob(simulatedJobName, {}, (job) => {
    const streams = plan.sources.map((source, index) => {
      const { id, outOfOrdernessMs, idleAfterMs, stepMs, maxDriftMs } = source;
      return job.source(
        id,
        sources[index]!,
        watermarks((r) => r.at, {
          outOfOrderness: outOfOrdernessMs,
          step: stepMs,
          farFuture: 'off',
          ...(idleAfterMs !== undefined && { idleAfter: idleAfterMs, allIdle: 'hold' }),
          ...(maxDriftMs !== undefined && { align: { group: 'all', maxDrift: maxDriftMs } }),
        }),
      );
    });
    for (const [index, branch] of plan.branches.entries()) {
      addBranch(branch, { streams, sink: sinks[index]!, ends });
    }
  });
}

/** What a branch is put between. */
interface BranchEnds {
  readonly streams: readonly Stream<SimulatedRecord>[];
  readonly sink: Sink<unknown>;
  readonly ends: Pick<JobEnds, 'onRecord' | 'spend'>;
}

function addBranch(branch: BranchPlan, ends: BranchEnds): void {
  const [first, second] = branch.sources.map((index) => ends.streams[index]!);
  const isConnected = branch.keyed.kind === 'connect';
  const joined = second === undefined || isConnected ? first! : first!.pipe(union(second));
  let stream: Stream<SimulatedRecord> = joined;
  for (const [index, step] of branch.steps.entries()) {
    stream = withStep(stream, step, { branch, index, ...ends });
  }
  addKeyed(stream, second ?? first!, branch, ends.sink);
}

interface StepPlace extends BranchEnds {
  readonly branch: BranchPlan;
  readonly index: number;
}

function withStep(
  input: Stream<SimulatedRecord>,
  step: StatelessPlan,
  { branch, index, ends, sink }: StepPlace,
): Stream<SimulatedRecord> {
  const id = `${branch.id}-step${index}`;
  switch (step.kind) {
    case 'map':
      return input.pipe(map((r) => ({ ...r, amount: r.amount + step.add }), { id }));
    case 'filter':
      return input.pipe(filter((r) => passes(r, step.every), { id }));
    case 'flatMap':
      return input.pipe(flatMap((r) => copiesOf(r, step.copies), { id }));
    case 'fallible':
      return input.pipe(
        map(
          (r) => {
            ends.onRecord(r);
            return r;
          },
          { id },
        ),
      );
    case 'slow':
      return input.pipe(
        map(
          (r) => {
            ends.spend(step.ms);
            return r;
          },
          { id },
        ),
      );
    case 'deadLetter': {
      const output = input.pipe(
        map((r) => refuse(r, step.every), {
          id,
          onError: toDeadLetters,
        }),
      );
      addDeadLetters(output, branch, sink);
      return output;
    }
  }
}

/** Whether a record is not left out by a filter. */
export const passes = ({ id }: SimulatedRecord, every: number): boolean => id % every !== 0;

const copiesOf = (record: SimulatedRecord, copies: number): readonly SimulatedRecord[] =>
  Array.from({ length: copies }, (_, part) => ({ ...record, part: record.part * copies + part }));

/** A record's own name in outputs; parts of one record differ. */
export const idOf = ({ id, part }: Pick<SimulatedRecord, 'id' | 'part'>): string =>
  part === 0 ? `${id}` : `${id}.${part}`;
