import type { EventBatch } from '../input.js';
import { CountingSink } from '../loops/row-sink.js';
import type { Contender, Running } from './contender.js';
import type { GcPauses, Interval, PauseSums } from './gc-pauses.js';
import { ShiftedBatches } from './shifted-batches.js';
import { median, Stopwatch } from './stopwatch.js';

/** How long to measure. */
export interface BenchOptions {
  /** Rounds of each contender that count. */
  readonly rounds: number;
  /** Length of a round in seconds, at least. Default 0.3. */
  readonly roundSeconds?: number | undefined;
  /** What counts as the beginning of a job, in seconds. Default 1. */
  readonly coldSeconds?: number | undefined;
}

/** Figures of one contender; rates are in events per second. */
export interface Measurement {
  readonly name: string;
  /** Per CPU-second (user and system, all threads), from the start on. */
  readonly cold: number;
  /** Per CPU-second, median of the rounds. */
  readonly steady: number;
  /** Per second of wall time, median of the rounds. */
  readonly steadyWall: number;
  /** Pauses for garbage collection in the rounds. */
  readonly gc: PauseSums & {
    /** Of the wall time. */
    readonly share: number;
  };
}

/** Events and time of a stretch of work. */
interface Sample {
  readonly events: number;
  readonly watch: Stopwatch;
}

interface Entry {
  readonly contender: Contender;
  readonly batches: ShiftedBatches;
  readonly running: Running;
  readonly cold: Sample;
  readonly rounds: Sample[];
}

/**
 * Measures contenders over the same events with the same sink: the beginning of each, then rounds
 * in turn, so that a slow spell of the machine touches all of them alike.
 */
export async function measure(
  contenders: readonly Contender[],
  events: readonly EventBatch[],
  pauses: GcPauses,
  options: BenchOptions,
): Promise<Measurement[]> {
  const { rounds, roundSeconds = 0.3 } = options;
  const entries: Entry[] = [];
  for (const contender of contenders) entries.push(await begin(contender, events, options));
  for (let round = -1; round < rounds; round++) {
    for (const entry of entries) {
      const sample = await feed(entry.running, entry.batches, roundSeconds, new Stopwatch());
      // The first one is for code that is still being compiled.
      if (round >= 0) entry.rounds.push(sample);
    }
  }
  for (const { running } of entries) await running.end();
  return Promise.all(entries.map((entry) => measurementOf(entry, pauses)));
}

/** Starts a contender and feeds it for a while, as a warm-up of the process for others. */
export async function warmUp(
  contender: Contender,
  events: readonly EventBatch[],
  options: BenchOptions,
): Promise<void> {
  const { running } = await begin(contender, events, { ...options, coldSeconds: 0.3 });
  await running.end();
}

async function begin(
  contender: Contender,
  events: readonly EventBatch[],
  { coldSeconds = 1 }: BenchOptions,
): Promise<Entry> {
  const batches = new ShiftedBatches(events);
  const watch = new Stopwatch();
  const running = await watch.time(() => contender.start(new CountingSink()));
  const cold = await feed(running, batches, coldSeconds, watch);
  return { contender, batches, running, cold, rounds: [] };
}

/** Feeds until the watch shows `seconds` more; shifting times is not measured. */
async function feed(
  running: Running,
  batches: ShiftedBatches,
  seconds: number,
  watch: Stopwatch,
): Promise<Sample> {
  let events = 0;
  do {
    const next = batches.next();
    await watch.time(() => running.push(next));
    events += batches.events;
  } while (watch.wallSeconds < seconds);
  return { events, watch };
}

async function measurementOf(
  { contender, cold, rounds }: Entry,
  pauses: GcPauses,
): Promise<Measurement> {
  const intervals: Interval[] = rounds.flatMap(({ watch }) => watch.intervals);
  const wallMs = intervals.reduce((sum, { from, to }) => sum + to - from, 0);
  const gc = await pauses.during(intervals);
  return {
    name: contender.name,
    cold: cold.events / cold.watch.cpuSeconds,
    steady: median(rounds.map(({ events, watch }) => events / watch.cpuSeconds)),
    steadyWall: median(rounds.map(({ events, watch }) => events / watch.wallSeconds)),
    gc: { ...gc, share: gc.totalMs / wallMs },
  };
}
