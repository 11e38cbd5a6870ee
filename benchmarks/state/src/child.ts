import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobHandle, run } from '@millrace/runtime';
import { workloads } from './workloads.js';

/** What a child process is to measure. */
export interface ChildTask {
  readonly workload: string;
  readonly keys: number;
  readonly hotShare: number;
  readonly backend: 'heap' | 'level';
  readonly checkpoints: 'on' | 'off';
  readonly stateMemoryBytes?: number | undefined;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Afterwards starts again from the last checkpoint, and measures how long that takes. */
  readonly restores?: boolean | undefined;
}

/** What it measured. */
export interface ChildResult {
  readonly events: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly rssMiBMax: number;
  /** Committed while it was measured. */
  readonly checkpoints: number;
  /** Of committed checkpoints, from trigger to commit, ms. */
  readonly checkpointMs: readonly number[];
  /** Of the segments that checkpoints wrote, in order, without merged ones. */
  readonly segmentBytes: readonly number[];
  readonly batchMs: Percentiles;
  /** How long each checkpoint held up the chain. */
  readonly syncMs: Percentiles;
  /** From the start of a new job to its first record, ms. */
  readonly restoreMs: number | undefined;
  /** How far it was, every few milliseconds. */
  readonly samples: readonly Sample[];
}

/** Events given and CPU used since the beginning, at a moment of the machine's monotonic clock. */
export interface Sample {
  readonly atMs: number;
  readonly events: number;
  readonly cpuMs: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Between two looks at how far a job is, ms. */
const sampleMs = 20;

/** The same in all processes of a machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Runs one workload in this process. */
export async function measureChild(task: ChildTask): Promise<ChildResult> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    return await measureIn(folder, task);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIn(folder: string, task: ChildTask): Promise<ChildResult> {
  const { job, source } = workloads[task.workload]!(task);
  const handle = start(job, folder, task);
  await Promise.race([source.loaded, handle.done]);
  await seconds(task.warmUpSeconds);
  source.resetTimes();
  const segments = new Map<string, number>();
  const watch = watchSegments(folder, segments);
  const before = { given: source.given, cpu: process.cpuUsage(), wallMs: performance.now() };
  const committedBefore = handle.progress().checkpoints?.committed ?? 0;
  const committed = new Set<number>();
  const counting = setInterval(() => noteCommitted(handle, committedBefore, committed), 100);
  const samples: Sample[] = [];
  const sampling = setInterval(() => {
    const { user, system } = process.cpuUsage(before.cpu);
    const cpuMs = (user + system) / 1e3;
    samples.push({ atMs: monotonicMs(), events: source.given - before.given, cpuMs });
  }, sampleMs);
  await seconds(task.seconds);
  clearInterval(sampling);
  const cpu = process.cpuUsage(before.cpu);
  const wallSeconds = (performance.now() - before.wallMs) / 1_000;
  noteCommitted(handle, committedBefore, committed);
  clearInterval(counting);
  const events = source.given - before.given;
  const history = handle.progress().checkpoints?.history ?? [];
  const batchMs = percentiles(source.batchMs);
  const syncMs = percentiles(history.map((report) => report.syncMs));
  clearInterval(watch);
  if (task.restores === true) await committedAfter(handle);
  await handle.cancel();
  const restoreMs = task.restores === true ? await restore(folder, task) : undefined;
  return {
    events,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    wallSeconds,
    rssMiBMax: process.resourceUsage().maxRSS / 1_024,
    checkpoints: committed.size,
    checkpointMs: history.filter(({ error }) => error === undefined).map((c) => c.durationMs),
    segmentBytes: [...segments].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bytes]) => bytes),
    batchMs,
    syncMs,
    restoreMs,
    samples,
  };
}

function start(job: Parameters<typeof run>[0], folder: string, task: ChildTask): JobHandle {
  const { backend, stateMemoryBytes, checkpoints } = task;
  const handle = run(job, {
    checkRecords: 'off',
    backend,
    stateMemoryBytes,
    restart: { kind: 'none' },
    ...(checkpoints === 'on' && { checkpoints: { folder, interval: '1s', minPause: '0s' } }),
  });
  handle.done.catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
  return handle;
}

async function restore(folder: string, task: ChildTask): Promise<number> {
  const { job, source } = workloads[task.workload]!({ ...task, hotShare: 1 });
  const begunMs = performance.now();
  const handle = start(job, folder, task);
  while (source.given === 0) await seconds(0.005);
  const restoreMs = performance.now() - begunMs;
  await handle.cancel();
  return restoreMs;
}

/** So that what is restored has everything. */
async function committedAfter(handle: JobHandle): Promise<void> {
  const last = handle.progress().checkpoints?.committed ?? 0;
  while ((handle.progress().checkpoints?.committed ?? 0) < last + 2) await seconds(0.05);
}

function noteCommitted(handle: JobHandle, after: number, committed: Set<number>): void {
  for (const { checkpoint, error } of handle.progress().checkpoints?.history ?? []) {
    if (error === undefined && checkpoint > after) committed.add(checkpoint);
  }
}

/** Notes the sizes of segments before they are merged and deleted. */
function watchSegments(folder: string, segments: Map<string, number>): NodeJS.Timeout {
  return setInterval(() => {
    const path = join(folder, 'segments');
    for (const name of namesIn(path)) {
      if (name.startsWith('merged') || segments.has(name)) continue;
      try {
        segments.set(name, statSync(join(path, name)).size);
      } catch {
        // Deleted meanwhile.
      }
    }
  }, 50);
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1_000));
