import { ndjsonSink } from '@millrace/connectors';
import type { RunOptions } from '@millrace/runtime';
import { startJob } from '@millrace/runtime/internal';
import { MemorySpillStore } from '@millrace/state';
import { RecordingSink, type SimulatedDisk, virtualEnv } from '@millrace/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DurableProcess, diskForJobs, linesOf, pass, start } from './durable-rig.js';
import { graphJob, type Row, textOf } from './random-graph-job.js';
import { type GraphPlan, graphs, type RunPlan, runs } from './random-graph-plan.js';
import { slow } from './unaligned-rig.js';

/** Of a job whose attempts fail the first error counts. */
const restart = { kind: 'none' } as const;
const stepsMax = 300;

type Rows = readonly string[];

async function finish(process: DurableProcess): Promise<void> {
  await pass(process, undefined, stepsMax);
  await process.handle.done;
}

async function passFor(process: DurableProcess, ms: number): Promise<void> {
  const untilMs = process.env.nowMs + ms;
  await pass(process, () => process.env.nowMs >= untilMs, stepsMax);
}

/** The job, and what its sinks have received; all of it has the time that it should have. */
function recorded(plan: GraphPlan, parallelism?: readonly number[]) {
  const sinks = new Map<string, RecordingSink<Row>>();
  const sinkOf = (id: string) => {
    const sink = sinks.get(id) ?? new RecordingSink<Row>();
    sinks.set(id, sink);
    return sink;
  };
  const job = graphJob(plan, { sink: sinkOf, parallelism });
  const rows = (): Rows =>
    [...sinks]
      .flatMap(([id, { records }]) =>
        records.map(({ value, timestamp }) => {
          expect(timestamp).toBe('error' in value ? value.timestamp : value.at);
          return textOf(id, value);
        }),
      )
      .sort();
  return { job, rows };
}

/** What the sinks of a job get that runs to its end. */
async function rowsOf(
  plan: GraphPlan,
  run: Partial<RunOptions>,
  parallelism?: readonly number[],
): Promise<Rows> {
  const { job, rows } = recorded(plan, parallelism);
  await finish(start(await diskForJobs(), job, { restart, ...run }));
  return rows();
}

/** The same on the backend for which nothing is fused. */
async function rowsOnLevels(plan: GraphPlan, slots: number): Promise<Rows> {
  const { job, rows } = recorded(plan);
  const env = virtualEnv({ seed: 1 });
  const scratch = {
    open: () => ({ store: new MemorySpillStore(), remove: async () => undefined }),
    remove: async () => undefined,
  };
  const options = { env, slots, backend: 'level', stateMemoryBytes: 100_000, restart } as const;
  await finish({ env, handle: startJob(job.build(), options, { scratch }) });
  return rows();
}

const rate = 400;
const checkpoints = { folder: '/checkpoints', interval: '20ms' } as const;

/** Rows of the files that sinks have written. */
async function rowsOn(disk: SimulatedDisk): Promise<Rows> {
  return (await linesOf(disk))
    .filter((line) => line.endsWith('}'))
    .map((line) => {
      const { id, row } = /^(?<id>.*)-\d+\.ndjson: (?<row>.*)$/.exec(line)!.groups!;
      return textOf(id!, JSON.parse(row!) as Row);
    })
    .sort();
}

const fileOf = (id: string) => ndjsonSink<Row>({ path: `/out/${id}-{subtask}.ndjson` });

/** The same of a job that is stopped, and goes on in another number of slots. */
async function rowsOverStop(plan: GraphPlan, run: RunPlan): Promise<Rows> {
  const disk = await diskForJobs();
  const job = graphJob(plan, { rate, sink: fileOf });
  const first = start(disk, job, { slots: run.slots[0], checkpoints, restart });
  await passFor(first, run.stopMs);
  // A job that has ended meanwhile has no savepoint, and gives nothing when it runs again.
  const stopped = first.handle.stopWithSavepoint('middle').catch(() => undefined);
  await pass(first, undefined, stepsMax);
  await stopped;
  await first.handle.done;
  await finish(start(disk, job, { slots: run.slots[1], checkpoints, restart }));
  return rowsOn(disk);
}

/** The same of a job behind slow sinks, whose barriers overtake, and that is killed. */
async function rowsOverKill(plan: GraphPlan, run: RunPlan): Promise<Rows> {
  const disk = await diskForJobs();
  const { parallelism, several: slots } = run;
  const job = graphJob(plan, { rate, parallelism, sink: (id) => slow(fileOf(id), 15) });
  const options = {
    slots,
    checkpoints: { ...checkpoints, alignmentTimeout: '5ms' },
    restart,
  } as const;
  const first = start(disk, job, options);
  await passFor(first, run.stopMs);
  disk.powerCut({ next: () => 0.5 });
  first.handle.cancel().catch(() => undefined);
  first.handle.done.catch(() => undefined);
  await finish(start(disk, job, options));
  return rowsOn(disk);
}

test('a graph gives the same rows however it is run', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, runs, async (plan, run) => {
      const expected = await rowsOf(plan, {});
      const { parallelism, several } = run;
      const slots = run.slots[0];
      const ways: Readonly<Record<string, () => Promise<Rows>>> = {
        'in several slots': () => rowsOf(plan, { slots: several }),
        'without generated code': () => rowsOf(plan, { codegen: 'off' }),
        'in several slots without it': () => rowsOf(plan, { slots: several, codegen: 'off' }),
        'with subtasks of different number': () => rowsOf(plan, { slots }, parallelism),
        'on the level backend': () => rowsOnLevels(plan, slots),
        'stopped in the middle': () => rowsOverStop(plan, run),
        'killed in the middle': () => rowsOverKill(plan, run),
      };
      for (const [name, rows] of Object.entries(ways)) {
        const found = await rows().catch((cause) => {
          throw new Error(name, { cause });
        });
        expect(found, name).toEqual(expected);
      }
    }),
    { numRuns: 6, seed: 11 },
  );
});
