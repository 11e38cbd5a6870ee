import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type BenchStreams, cpuMsOf, startStreams } from './bench-streams.js';
import { BenchChild } from './child-process.js';
import type { Progress } from './child-task.js';
import { type JobName, recordsPerMessage } from './jobs.js';

export interface ThroughputTask {
  readonly job: JobName;
  readonly records: number;
}

/** How fast a job has read a stream that was full, and written to another one, exactly once. */
export interface Throughput {
  readonly recordsPerSecond: number;
  readonly messagesOutPerSecond: number;
  readonly seconds: number;
  readonly checkpoints: number;
  /** Share of a processor that the job and the server took. */
  readonly jobCpu: number;
  readonly serverCpu: number;
  readonly rssMiBMax: number;
}

/** Share of the records that are read before and behind the measurement. */
const edgeShare = 0.1;
const lookMs = 100;
const checkpointMs = 1_000;
const stuckMsMax = 30_000;

export async function measureThroughput(task: ThroughputTask): Promise<Throughput> {
  const streams = await startStreams();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    await streams.preload(task.records);
    return await measure(streams, folder, task);
  } finally {
    await streams.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  streams: BenchStreams,
  folder: string,
  { job, records }: ThroughputTask,
): Promise<Throughput> {
  const { server } = streams;
  const child = new BenchChild({
    kind: 'run',
    server: server.url,
    job,
    guarantee: 'exactly-once',
    folder,
    intervalMs: checkpointMs,
  });
  try {
    const first = await reached(child, records * edgeShare);
    const serverCpuMs = cpuMsOf(server.pid);
    const last = await reached(child, records * (1 - edgeShare));
    const ms = last.nowMs - first.nowMs;
    const serverMs = cpuMsOf(server.pid) - serverCpuMs;
    await published(streams, records / recordsPerMessage[job]);
    const recordsPerSecond = ((last.records - first.records) / ms) * 1_000;
    return {
      recordsPerSecond,
      messagesOutPerSecond: recordsPerSecond / recordsPerMessage[job],
      seconds: ms / 1_000,
      checkpoints: (last.checkpoints ?? 0) - (first.checkpoints ?? 0),
      jobCpu: (last.cpuMs - first.cpuMs) / ms,
      serverCpu: serverMs / ms,
      rssMiBMax: Math.max(...child.progress.map(({ rssMiB }) => rssMiB)),
    };
  } finally {
    await child.stop();
  }
}

async function reached(child: BenchChild, records: number): Promise<Progress> {
  for (let seen = 0, sinceMs = performance.now(); ; ) {
    const { last } = child;
    if (last !== undefined && last.records >= records) return last;
    if ((last?.records ?? 0) > seen) sinceMs = performance.now();
    seen = last?.records ?? 0;
    if (performance.now() - sinceMs > stuckMsMax) throw new Error(`it is stuck at ${seen}`);
    await wait(lookMs);
  }
}

/** All but the windows that are open come out: what was measured was also published. */
async function published(streams: BenchStreams, messages: number): Promise<void> {
  const untilMs = performance.now() + stuckMsMax;
  for (;;) {
    const found = await streams.outputMessages();
    if (found >= messages * 0.99) return;
    if (performance.now() > untilMs) throw new Error(`${found} of ${messages} were published`);
    await wait(lookMs);
  }
}
