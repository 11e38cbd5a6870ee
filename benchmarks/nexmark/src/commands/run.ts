import { pacedSource } from '@millrace/connectors';
import { run } from '@millrace/runtime';
import { Stopwatch } from '../bench/stopwatch.js';
import type { Backend, Durability } from '../engine/durability.js';
import { partedSource, partOf } from '../engine/parted-source.js';
import { queryJob } from '../engine/query-job.js';
import { rowsTo } from '../engine/rows-to.js';
import { feedOf } from '../engine/run-query.js';
import { batchesOf, type EventBatch, readEvents } from '../input.js';
import { CollectingSink } from '../loops/row-sink.js';
import type { QueryName } from '../model.js';
import { writeLines } from '../ndjson-file.js';
import { runDurably } from './run-durably.js';
import { runFigures } from './run-figures.js';
import { runInSlots } from './run-in-slots.js';

/** What `run` is to do. */
export interface RunCommand {
  readonly query: QueryName;
  /** Path of the events. */
  readonly input: string;
  /** Path of the rows. */
  readonly output: string;
  /** Runs to take medians of, each a fresh job; more than one come after a warm-up. */
  readonly repeat: number;
  /** Undefined: as fast as it goes. */
  readonly eventsPerSecond: number | undefined;
  readonly backend: Backend | undefined;
  /** Threads. */
  readonly slots: number;
  /** Subtasks of each operator; undefined: one for each slot. */
  readonly parallelism: number | undefined;
  /** Undefined: a run that is killed has to begin anew. */
  readonly durability: Durability | undefined;
}

/** `run`: writes the rows of a query, unsorted, and prints its speed as a line of JSON. */
export async function runCommand(command: RunCommand): Promise<void> {
  const { durability } = command;
  if (durability !== undefined) await runDurably({ ...command, durability });
  else if (command.slots > 1) await runInSlots(command);
  else await runInMemory(command);
}

/** The events are read before the clock starts, and the rows written after it has stopped. */
async function runInMemory(command: RunCommand): Promise<void> {
  const { query, input, output, repeat } = command;
  const batches = batchesOf(await readEvents(input));
  const events = batches.reduce((sum, { count }) => sum + count, 0);
  const watches: Stopwatch[] = [];
  let rows: readonly unknown[] = [];
  for (let i = repeat > 1 ? -1 : 0; i < repeat; i++) {
    const watch = new Stopwatch();
    rows = await watch.time(() => rowsOf(command, batches));
    if (i >= 0) watches.push(watch);
  }
  await writeLines(output, rows);
  console.log(runFigures({ query, events, rows: rows.length }, watches));
}

async function rowsOf(
  { query, eventsPerSecond, backend, parallelism }: RunCommand,
  batches: readonly EventBatch[],
): Promise<unknown[]> {
  const sink = new CollectingSink();
  const feed =
    parallelism === undefined
      ? feedOf(batches)
      : partedSource(async (part) => partOf(batches, part));
  const source = eventsPerSecond === undefined ? feed : pacedSource(feed, eventsPerSecond);
  const job = queryJob(query, { source, sink: rowsTo(sink) });
  await run(job, { checkRecords: 'off', backend, parallelism }).done;
  return sink.rows;
}
