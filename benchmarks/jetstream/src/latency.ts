import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { JetstreamGuarantee } from '@millrace/connectors';
import { type BenchStreams, cpuMsOf, startStreams } from './bench-streams.js';
import { BenchChild } from './child-process.js';
import type { Progress } from './child-task.js';

export interface LatencyTask {
  readonly guarantee: JetstreamGuarantee;
  readonly checkpointMs: number;
  readonly recordsPerSecond: number;
  readonly seconds: number;
}

/** How old records were when a reader of the output stream got them. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly receivedPerSecond: number;
  readonly checkpoints: number;
  /** Share of a processor. */
  readonly jobCpu: number;
  readonly serverCpu: number;
}

const warmUpMs = 5_000;

export async function measureLatency(task: LatencyTask): Promise<Latency> {
  const streams = await startStreams();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    return await measure(streams, folder, task);
  } finally {
    await streams.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  { server }: BenchStreams,
  folder: string,
  { guarantee, checkpointMs, recordsPerSecond, seconds }: LatencyTask,
): Promise<Latency> {
  const url = server.url;
  const job = new BenchChild({
    kind: 'run',
    server: url,
    job: 'each',
    guarantee,
    folder,
    intervalMs: checkpointMs,
  });
  const reader = new BenchChild({ kind: 'subscribe', server: url });
  const publisher = new BenchChild({ kind: 'publish', server: url, recordsPerSecond });
  try {
    await wait(warmUpMs);
    const before = { job: job.last!, at: reader.progress.length, serverMs: cpuMsOf(server.pid) };
    await wait(seconds * 1_000);
    const after = job.last!;
    const ms = after.nowMs - before.job.nowMs;
    return {
      ...ages(reader.progress.slice(before.at)),
      receivedPerSecond: rateOf(reader.progress.slice(before.at)),
      checkpoints: (after.checkpoints ?? 0) - (before.job.checkpoints ?? 0),
      jobCpu: (after.cpuMs - before.job.cpuMs) / ms,
      serverCpu: (cpuMsOf(server.pid) - before.serverMs) / ms,
    };
  } finally {
    await Promise.all([publisher.stop(), reader.stop(), job.stop()]);
  }
}

function ages(progress: readonly Progress[]): Pick<Latency, 'p50Ms' | 'p99Ms' | 'maxMs'> {
  const sorted = Float64Array.from(progress.flatMap(({ agesUs = [] }) => agesUs)).sort();
  const at = (share: number): number =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) / 1_000;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function rateOf(progress: readonly Progress[]): number {
  const [first, last] = [progress[0]!, progress.at(-1)!];
  return ((last.records - first.records) / (last.nowMs - first.nowMs)) * 1_000;
}
