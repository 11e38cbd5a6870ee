import { MillraceError } from '@millrace/core';
import { hashText } from '../simulation/seeded-random.js';
import { type PlannedSource, recordCount, valuesOf, withoutTimes } from './input-plan.js';
import { type Oracle, OracleError } from './oracles/oracle.js';
import type { ResolvedSimulation } from './resolve-options.js';
import { runCase, type UserCase, type UserRun } from './run-case.js';
import type { SimulationReport } from './simulate-options.js';
import { noUserFaults, type UserFault, userNameOf } from './user-faults.js';

/** Something that should not be, in one run. */
export interface Finding {
  /** Undefined: the job did not finish. */
  readonly oracle: Oracle | undefined;
  readonly error: Error;
  readonly case: UserCase;
  readonly run: UserRun;
}

/** Seed of the run that others are compared with: whatever their seeds are, it is the same. */
const referenceSeed = 0;

/** Runs cases, compares them, and counts. */
export class Observer {
  private readonly simulation: ResolvedSimulation;
  private readonly figures = { runs: 0, records: 0, starts: 0, committedCheckpoints: 0, hash: 0 };
  private readonly faults: Partial<Record<UserFault, number>> = {};
  /** By their input; all seeds have the same one where it is fixed. */
  private readonly references = new WeakMap<readonly PlannedSource[], Promise<UserRun>>();
  private fixed: Promise<UserRun> | undefined;

  constructor(simulation: ResolvedSimulation) {
    this.simulation = simulation;
  }

  report(): SimulationReport {
    const { hash, ...figures } = this.figures;
    return {
      ...figures,
      seeds: this.simulation.seeds.length,
      effectiveFaults: this.faults,
      traceHash: (hash >>> 0).toString(16).padStart(8, '0'),
    };
  }

  async run(case_: UserCase): Promise<UserRun> {
    const { figures } = this;
    const run = await runCase(this.simulation.job, case_);
    figures.runs += 1;
    figures.records += recordCount(case_.sources);
    figures.hash = hashText(figures.hash, run.traceHash);
    if (case_.faults.kinds.length > 0) this.countFaults(run);
    return run;
  }

  /** What is wrong in a run, if anything. The run of a case is used for all oracles of its kind. */
  async judge(oracles: readonly Oracle[], case_: UserCase): Promise<Finding | undefined> {
    // Ahead of it: what functions keep outside of the job is fresh then, and shows up afterwards.
    if (oracles.some(({ kind }) => kind === 'compared')) await this.referenceOf(case_);
    const run = await this.run(case_);
    if (run.failure !== undefined) {
      return { oracle: undefined, error: run.failure, case: case_, run };
    }
    const observation = this.observationOf(run, case_);
    for (const oracle of oracles) {
      try {
        await oracle.check(observation);
      } catch (thrown) {
        if (thrown instanceof ReferenceFailure || isMisuse(thrown)) throw thrown;
        const error = thrown instanceof Error ? thrown : new OracleError(String(thrown));
        return { oracle, error, case: case_, run };
      }
    }
    return undefined;
  }

  /** The case's input, all there from the start, without faults in one slot. */
  referenceCase(sources: readonly PlannedSource[]): UserCase {
    return {
      seed: referenceSeed,
      ambientSeed: referenceSeed,
      sources: withoutTimes(sources),
      faults: noUserFaults,
      slots: [1],
    };
  }

  /** The reference again, with another clock and other randomness for functions that ask. */
  repeatReference(sources: readonly PlannedSource[]): Promise<UserRun> {
    return this.run({ ...this.referenceCase(sources), ambientSeed: referenceSeed + 1 });
  }

  /** @throws ReferenceFailure when the job does not even finish without faults */
  async referenceOf({ sources, isPart }: UserCase): Promise<UserRun> {
    const isFixed = this.simulation.input === 'fixed' && isPart !== true;
    const known = isFixed ? this.fixed : this.references.get(sources);
    const running = known ?? this.run(this.referenceCase(sources));
    if (isFixed) this.fixed = running;
    else this.references.set(sources, running);
    const run = await running;
    if (run.failure !== undefined) throw new ReferenceFailure(run.failure);
    return run;
  }

  private observationOf(run: UserRun, case_: UserCase) {
    const { deadLetterSinks } = this.simulation.job;
    const outputs = Object.fromEntries(
      [...run.rows].map(([sink, rows]) => [sink, rows.map((text) => run.book.read(text))]),
    );
    return {
      rows: run.rows,
      outputs,
      input: valuesOf(case_.sources),
      deadLetterSinks,
      reference: async () => (await this.referenceOf(case_)).rows,
    };
  }

  private countFaults({ starts, committedCheckpoints, effectiveFaults }: UserRun): void {
    this.figures.starts += starts;
    this.figures.committedCheckpoints += committedCheckpoints;
    for (const [name, count] of Object.entries(effectiveFaults)) {
      const fault = userNameOf(name);
      if (fault !== undefined) this.faults[fault] = (this.faults[fault] ?? 0) + count;
    }
  }
}

const isMisuse = (thrown: unknown): boolean =>
  thrown instanceof MillraceError && thrown.code === 'ERR_TEST_KIT';

/** The run that others are to be compared with has failed itself. */
export class ReferenceFailure extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = 'ReferenceFailure';
  }
}
