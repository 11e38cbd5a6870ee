import { run } from '@millrace/runtime';
import { median, Stopwatch } from '../bench/stopwatch.js';
import { queryJob } from '../engine/query-job.js';
import { feedOf } from '../engine/run-query.js';
import { batchesOf, type EventBatch, readEvents } from '../input.js';
import { CollectingSink } from '../loops/row-sink.js';
import type { QueryName } from '../model.js';
import { writeLines } from '../ndjson-file.js';

/** What `run` is to do. */
export interface RunCommand {
  readonly query: QueryName;
  /** Path of the events. */
  readonly input: string;
  /** Path of the rows. */
  readonly output: string;
  /** Runs to take medians of, each a fresh job; more than one come after a warm-up. */
  readonly repeat: number;
}

/** `run`: writes the rows of a query, unsorted, and prints its speed as a line of JSON. */
export async function runCommand({ query, input, output, repeat }: RunCommand): Promise<void> {
  const batches = batchesOf(await readEvents(input));
  const events = batches.reduce((sum, { count }) => sum + count, 0);
  const watches: Stopwatch[] = [];
  let rows: readonly unknown[] = [];
  for (let i = repeat > 1 ? -1 : 0; i < repeat; i++) {
    const watch = new Stopwatch();
    rows = await watch.time(() => rowsOf(query, batches));
    if (i >= 0) watches.push(watch);
  }
  await writeLines(output, rows);
  const wallSeconds = median(watches.map((watch) => watch.wallSeconds));
  const cpuSeconds = median(watches.map((watch) => watch.cpuSeconds));
  const figures = {
    query,
    events,
    rows: rows.length,
    wallMs: round(wallSeconds * 1e3),
    cpuMs: round(cpuSeconds * 1e3),
    eventsPerSecond: Math.round(events / wallSeconds),
    eventsPerCpuSecond: Math.round(events / cpuSeconds),
  };
  console.log(JSON.stringify(figures));
}

async function rowsOf(query: QueryName, batches: readonly EventBatch[]): Promise<unknown[]> {
  const sink = new CollectingSink();
  const job = queryJob(query, { source: feedOf(batches), sink });
  await run(job, { checkRecords: 'off' }).done;
  return sink.rows;
}

/** To microseconds. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1e3) / 1e3;
}
