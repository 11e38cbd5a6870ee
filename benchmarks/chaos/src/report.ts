import { type CommitStep, commitSteps } from './commit-steps.js';
import type { JobReport, KillReport } from './job-run.js';

/** Of the kills at least so many come after a commit. */
export const afterCommitShareMin = 0.8;

/** The kills of all jobs in figures. */
export interface Report {
  readonly kills: number;
  readonly afterCommit: number;
  /** Processes that went on from a checkpoint. */
  readonly resumed: number;
  /** Kills at each step: by a failpoint, and at random moments. */
  readonly steps: ReadonlyMap<CommitStep, { failpoint: number; time: number }>;
  /** Steps at which no process was killed. */
  readonly missed: readonly CommitStep[];
}

export function reportOf(reports: readonly JobReport[]): Report {
  const kills = reports.flatMap((report) => report.kills);
  const steps = new Map(commitSteps.map((step) => [step, { failpoint: 0, time: 0 }]));
  for (const { diedAt, by } of kills) {
    if (diedAt !== undefined && diedAt !== 'start') steps.get(diedAt)![by] += 1;
  }
  return {
    kills: kills.length,
    afterCommit: kills.filter(({ isAfterCommit }) => isAfterCommit).length,
    // The process after the last kill of a job, too.
    resumed: reports.reduce((sum, { kills, rounds }) => sum + resumptions(kills, rounds), 0),
    steps,
    missed: commitSteps.filter((step) => sum(steps.get(step)!) === 0),
  };
}

/** The table that is printed. */
export function renderReport(reports: readonly JobReport[], report: Report): string {
  const { kills, afterCommit, resumed, steps } = report;
  const share = kills === 0 ? 0 : (afterCommit / kills) * 100;
  const inNone = reports
    .flatMap((one) => one.kills)
    .filter(({ diedAt }) => diedAt === undefined || diedAt === 'start').length;
  const lines = [
    ...reports.map(
      ({ job, kills, rows, rounds }) =>
        `${job.padEnd(6)} ${kills.length} kills, ${rounds === 1 ? 'one run' : `${rounds} runs`}: ` +
        `${rows} rows, the same byte for byte`,
    ),
    `${kills} kills, ${afterCommit} (${share.toFixed(0)} %) after a checkpoint was committed in the ` +
      `same life; ${resumed} processes went on, each from the newest committed checkpoint`,
    '',
    'killed at             failpoint  by chance',
    ...[...steps].map(([step, { failpoint, time }]) => row(step, failpoint, time)),
    row('outside of these', '', inNone),
  ];
  return `${lines.join('\n')}\n`;
}

function row(name: string, failpoint: number | string, time: number | string): string {
  return `${name.padEnd(20)} ${String(failpoint).padStart(10)} ${String(time).padStart(10)}`;
}

function resumptions(kills: readonly KillReport[], rounds: number): number {
  // Each kill tells what its own process went on from; the last process of a round went on, too.
  return kills.filter(({ resumedFrom }) => resumedFrom !== null).length + rounds;
}

const sum = ({ failpoint, time }: { failpoint: number; time: number }): number => failpoint + time;
