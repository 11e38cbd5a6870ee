import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startStreams } from './bench-streams.js';
import { BenchChild } from './child-process.js';
import type { Progress, SlowJobFacts } from './child-task.js';

export interface SlowSinkTask {
  readonly publishedPerSecond: number;
  readonly takenPerSecond: number;
  readonly seconds: number;
}

/** How a job stood while its sink took less than was published. */
export interface SlowSink {
  readonly recordsPerSecond: number;
  /** Records behind at the end, as the job tells, and as publisher and job count. */
  readonly pending: number;
  readonly behind: number;
  /** Highest in the first and in the last quarter. */
  readonly rssMiB: readonly [first: number, last: number];
  readonly checkpoints: number;
  readonly facts: SlowJobFacts;
  /** Share of the time in which the source had records and could not hand them on. */
  readonly backPressuredShare: number;
  /** What is not as it should be. */
  readonly faults: readonly string[];
}

const warmUpMs = 5_000;
const lookMs = 1_000;
const shares = { rss: 1.25, rate: 0.2, behind: 0.1, backPressured: 0.5 } as const;

/** A stream is filled faster than a job's sink takes it, for a while. */
export async function measureSlowSink(task: SlowSinkTask): Promise<SlowSink> {
  const { server, stop } = await startStreams();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const { takenPerSecond, publishedPerSecond: recordsPerSecond } = task;
  const publisher = new BenchChild({ kind: 'publish', server: server.url, recordsPerSecond });
  const job = new BenchChild({ kind: 'slow', server: server.url, folder, takenPerSecond });
  try {
    await wait(warmUpMs);
    const from = job.progress.length - 1;
    let hasCut = false;
    for (let ms = 0; ms < task.seconds * 1_000; ms += lookMs) {
      await wait(lookMs);
      hasCut ||= /slow consumer/i.test(server.logTail());
    }
    const found = summary(job.progress.slice(from), publisher.last!);
    const faults = faultsOf(found, task);
    return { ...found, faults: hasCut ? [...faults, 'the server cut a slow consumer'] : faults };
  } finally {
    await Promise.all([publisher.stop(), job.stop()]);
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function summary(progress: readonly Progress[], published: Progress): Omit<SlowSink, 'faults'> {
  const [first, last] = [progress[0]!, progress.at(-1)!];
  const ms = last.nowMs - first.nowMs;
  const quarter = progress.length >> 2;
  const rssOf = (some: readonly Progress[]) => Math.max(...some.map(({ rssMiB }) => rssMiB));
  const facts = last.facts!;
  return {
    recordsPerSecond: ((last.records - first.records) / ms) * 1_000,
    pending: facts.pending,
    behind: published.records - last.records,
    rssMiB: [rssOf(progress.slice(0, quarter)), rssOf(progress.slice(-quarter))],
    checkpoints: (last.checkpoints ?? 0) - (first.checkpoints ?? 0),
    facts,
    backPressuredShare: (facts.backPressuredMs - first.facts!.backPressuredMs) / ms,
  };
}

function faultsOf(found: Omit<SlowSink, 'faults'>, { takenPerSecond }: SlowSinkTask): string[] {
  const { facts, rssMiB, recordsPerSecond, pending, behind, backPressuredShare } = found;
  const checks: readonly (readonly [isWrong: boolean, what: string])[] = [
    [rssMiB[1] > rssMiB[0] * shares.rss, 'memory grew'],
    [facts.reconnects > 0, 'connections broke'],
    [facts.consumersMade > 0, 'consumers were lost'],
    [isFar(recordsPerSecond, takenPerSecond, shares.rate), 'it did not go as fast as its sink'],
    [isFar(pending, behind, shares.behind), 'its lag is not what it is behind'],
    [facts.watermarkLagRecords > maxLagRecords, 'its watermark is behind its records'],
    [backPressuredShare < shares.backPressured, 'back-pressure does not show'],
    [found.checkpoints === 0, 'no checkpoint was committed'],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, what]) => what);
}

/** Batches on their way from source to sink. */
const maxLagRecords = 16_384;

const isFar = (found: number, expected: number, share: number): boolean =>
  Math.abs(found - expected) > expected * share;
