import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describeDifference, differenceOf } from '@millrace/benchmark-nexmark';
import { committedIn } from './committed.js';
import { type JobName, jobs } from './jobs.js';
import { type Kill, KillPlan } from './kill-plan.js';
import type { Failpoint, Life } from './life-protocol.js';
import { type LivedLife, liveOnce } from './live-once.js';
import { sortedLines } from './output-lines.js';

export interface JobRunOptions {
  readonly job: JobName;
  readonly kills: number;
  readonly seed: number;
  readonly backend: Life['backend'];
  readonly slots: number;
  /** Folder for all its files, and the file of its input. */
  readonly folder: string;
  readonly input: string;
}

/** A kill that happened. */
export interface KillReport {
  readonly job: JobName;
  readonly by: LivedLife['by'];
  readonly diedAt: LivedLife['diedAt'];
  /** Whether a checkpoint was committed since the process started. */
  readonly isAfterCommit: boolean;
  /** What the next process went on from. */
  resumedFrom: number | null;
}

/** The kills of a job; it was what it should be. */
export interface JobReport {
  readonly job: JobName;
  readonly kills: readonly KillReport[];
  /** Times that it ran to its end. */
  readonly rounds: number;
  readonly rows: number;
}

/** What is not as it should be; the message says what. */
class ChaosError extends Error {}

/** Time from one kill to the next that the input is to last for, s. */
const secondsPerLife = 1.1;
const checkpointInterval = '100ms';

/**
 * Kills a job again and again, until all kills are used up and it has ended; then again, while it
 * ends before that.
 *
 * @throws ChaosError when its output is not that of an undisturbed run, or a process went on from
 *   anything but the newest committed checkpoint
 */
export async function killJob(options: JobRunOptions): Promise<JobReport> {
  const expected = await undisturbed(options);
  const plan = new KillPlan(options.seed, options.job, options.slots);
  const kills: KillReport[] = [];
  let rounds = 0;
  do {
    rounds += 1;
    const life = firstLife(options, `round-${rounds}`);
    const counts = await round(options, life, plan, kills);
    compare(expected, { lines: sortedLines(life.output), counts });
    await checkEnded(life, expected);
  } while (kills.length < options.kills);
  return { job: options.job, kills, rounds, rows: expected.lines.length };
}

interface Result {
  readonly lines: readonly string[];
  readonly counts: unknown;
}

/** Without checkpoints, and in one life. */
async function undisturbed(options: JobRunOptions): Promise<Result> {
  const life = firstLife(options, 'undisturbed');
  const lived = await liveOnce(
    { ...life, checkpointInterval: undefined, recordsPerSecond: undefined },
    undefined,
  );
  if (lived.end !== 'done') throw new ChaosError(`undisturbed it fails: ${lived.complaints}`);
  return { lines: sortedLines(life.output), counts: lived.counts };
}

function firstLife(
  { job, kills, backend, slots, folder, input }: JobRunOptions,
  name: string,
): Life {
  const { records, sinks } = jobs[job];
  const output = join(folder, name, sinks === 'file' ? 'rows' : 'rows/');
  mkdirSync(join(folder, name), { recursive: true });
  if (sinks === 'parts') mkdirSync(output);
  return {
    job,
    input,
    output,
    backend,
    slots,
    checkpoints: join(folder, name, 'checkpoints'),
    checkpointInterval,
    recordsPerSecond: records / (Math.max(kills, 3) * secondsPerLife),
    failpoint: undefined,
  };
}

/** Lives until the job has ended; what that one counted. */
async function round(
  options: JobRunOptions,
  life: Life,
  plan: KillPlan,
  kills: KillReport[],
): Promise<unknown> {
  for (;;) {
    const kill = kills.length < options.kills ? plan.next() : undefined;
    const before = committedIn(life.checkpoints);
    const lived = await liveOnce(lifeWith(life, kill), kill);
    checkResumed(lived, before);
    if (lived.end === 'failed') throw new ChaosError(`it failed: ${lived.complaints}`);
    if (lived.by === 'time' && kill?.kind === 'failpoint' && kill.failpoint.kind === 'step') {
      plan.notReached(kill.failpoint.step);
    }
    if (lived.end === 'done') return lived.counts;
    const isAfterCommit = committedIn(life.checkpoints) !== before;
    const { by, diedAt } = lived;
    kills.push({ job: options.job, by, diedAt, isAfterCommit, resumedFrom: before });
  }
}

/** Without kills to come there is no need to go slowly. */
function lifeWith(life: Life, kill: Kill | undefined): Life {
  if (kill === undefined) return { ...life, recordsPerSecond: undefined };
  const failpoint: Failpoint | undefined = kill.kind === 'failpoint' ? kill.failpoint : undefined;
  return { ...life, failpoint };
}

function checkResumed({ resumed }: LivedLife, committed: number | null): void {
  if (resumed === undefined || resumed.checkpoint === committed) return;
  const from = resumed.checkpoint === null ? 'nothing' : `checkpoint ${resumed.checkpoint}`;
  throw new ChaosError(`it went on from ${from}, but ${committed} was committed last`);
}

/** Started again after its end a job has nothing to do, and does nothing. */
async function checkEnded(life: Life, expected: Result): Promise<void> {
  const lived = await liveOnce({ ...life, recordsPerSecond: undefined }, undefined);
  if (lived.end !== 'done' || lived.resumed?.finished !== true) {
    throw new ChaosError(`it does not know that it has ended: ${lived.complaints}`);
  }
  compare(expected, { lines: sortedLines(life.output), counts: lived.counts });
}

function compare(expected: Result, actual: Result): void {
  if (actual.lines.join('\n') !== expected.lines.join('\n')) {
    const difference = describeDifference(differenceOf(actual.lines, expected.lines));
    throw new ChaosError(
      `the output has ${actual.lines.length} rows instead of ${expected.lines.length}\n${difference}`,
    );
  }
  if (isDeepStrictEqual(stable(actual.counts), stable(expected.counts))) return;
  throw new ChaosError(
    `it counted\n${JSON.stringify(actual.counts)}\ninstead of\n${JSON.stringify(expected.counts)}`,
  );
}

/** Without what depends on time, or on the order in which records of different keys come. */
function stable(counts: unknown): unknown {
  if (counts === null || typeof counts !== 'object') return counts;
  const { lastAlerts: _, workedMs: __, ...rest } = counts as Record<string, unknown>;
  return rest;
}
