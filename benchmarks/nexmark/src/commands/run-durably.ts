import { access, constants, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type JobHandle, type ResumedFrom, run } from '@millrace/runtime';
import { Stopwatch } from '../bench/stopwatch.js';
import type { Durability } from '../engine/durability.js';
import { type SlotJob, slotJob } from '../engine/slot-job.js';
import type { RunCommand } from './run.js';
import { runFigures } from './run-figures.js';
import { slotModule } from './run-in-slots.js';

type DurableRun = RunCommand & { readonly durability: Durability };

/**
 * Runs a query with checkpoints, from file to file. After a kill the same command goes on; after
 * a complete end it says so. The figures are about what this process has done.
 */
export async function runDurably(command: DurableRun): Promise<void> {
  const { query, input, output, eventsPerSecond, backend, durability } = command;
  const { slots, parallelism } = command;
  const argument: SlotJob = { query, input, output, eventsPerSecond, from: 'file' };
  const { folder, interval } = durability;
  // A job with checkpoints would wait for a file that is not there.
  await access(input, constants.R_OK);
  await mkdir(dirname(output), { recursive: true });
  const watch = new Stopwatch();
  let job: JobHandle | undefined;
  const resumed = await watch.time(async () => {
    job = run(slotJob(argument), {
      checkRecords: 'off',
      checkpoints: { folder, interval },
      backend,
      slots,
      parallelism,
      module: slotModule,
      moduleArgument: argument,
    });
    const from = await Promise.race([job.resumed, job.done.then(() => undefined)]);
    if (from !== undefined && !from.finished) console.error(`resumed from ${describe(from)}`);
    await job.done;
    return from;
  });
  if (resumed?.finished === true) {
    console.log(`${query} had read all of its input at ${checkpointOf(resumed)}:`);
    console.log(`there is nothing left to do, and ${output} is complete.`);
    console.log(`To run it again, remove ${folder}.`);
    return;
  }
  const { recordsIn: events, recordsOut: rows, checkpoints } = job!.progress();
  const more = { resumedFrom: resumed?.checkpoint ?? null, checkpoint: checkpoints?.committed };
  console.log(runFigures({ query, events, rows }, [watch], more));
}

type Resumed = NonNullable<ResumedFrom>;

function describe(from: Resumed): string {
  const splits = from.sources.flatMap(({ snapshot }) => (snapshot as { splits: Split[] }).splits);
  const places = splits.map(
    ({ id, position }) => `line ${position?.line ?? 1} (byte ${position?.byte ?? 0}) of ${id}`,
  );
  return `${checkpointOf(from)}, input at ${places.length === 0 ? 'its end' : places.join(', ')}`;
}

/** A file in a checkpoint. */
interface Split {
  readonly id: string;
  readonly position?: { readonly line: number; readonly byte: number } | undefined;
}

function checkpointOf({ checkpoint, triggeredMs }: Resumed): string {
  return `checkpoint ${checkpoint} (taken ${new Date(triggeredMs).toISOString()})`;
}
