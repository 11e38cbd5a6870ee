import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@millrace/runtime';
import { Stopwatch } from '../bench/stopwatch.js';
import { type SlotJob, slotJob } from '../engine/slot-job.js';
import { writeLines } from '../ndjson-file.js';
import type { RunCommand } from './run.js';
import { runFigures } from './run-figures.js';

/** The module that threads load. */
export const slotModule = new URL('../engine/slot-job.js', import.meta.url);

/**
 * Runs a query in several threads. Each has read the whole input before the clock starts, and takes
 * its part of it; rows are files of the subtasks until the clock has stopped.
 */
export async function runInSlots(command: RunCommand): Promise<void> {
  const { query, output, repeat } = command;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-nexmark-'));
  const watches: Stopwatch[] = [];
  let events = 0;
  let rows: readonly unknown[] = [];
  try {
    for (let i = repeat > 1 ? -1 : 0; i < repeat; i++) {
      const watch = new Stopwatch();
      events = await onceInSlots(command, folder, watch);
      if (i >= 0) watches.push(watch);
    }
    rows = await rowsIn(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await writeLines(output, rows);
  console.log(runFigures({ query, events, rows: rows.length }, watches));
}

/** Returns the events that were read. */
async function onceInSlots(command: RunCommand, folder: string, watch: Stopwatch): Promise<number> {
  const { query, input, eventsPerSecond, backend, slots, parallelism = slots } = command;
  const argument: SlotJob = {
    query,
    input,
    output: join(folder, 'rows-{subtask}'),
    // Each subtask of the source has a share of it.
    eventsPerSecond: eventsPerSecond && eventsPerSecond / parallelism,
    from: 'memory',
  };
  const job = run(slotJob(argument), {
    checkRecords: 'off',
    backend,
    slots,
    parallelism,
    module: slotModule,
    moduleArgument: argument,
  });
  await Promise.race([job.opened, job.done]);
  await watch.time(() => job.done);
  return job.progress().recordsIn;
}

async function rowsIn(folder: string): Promise<unknown[]> {
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line)),
  );
}
