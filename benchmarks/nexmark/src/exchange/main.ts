import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '@millrace/runtime';
import { median, Stopwatch } from '../bench/stopwatch.js';
import { generate } from '../generator/generator.js';
import type { QueryName } from '../model.js';
import { writeLines } from '../ndjson-file.js';
import exchangeJob, { drawsPerLap, type ExchangeJob } from './exchange-job.js';

const usage = `Usage: bench:exchange [case …] [--rounds N] [--events N]

  queries   q5 and q11 in two slots against one, input in memory, with projection and
            aggregation ahead of the exchange
  subtasks  q5 and q11 with two subtasks in one slot against one: what an exchange costs by itself
  bids      whole bids from one thread to another
  zipf      counts of keys drawn by Zipf's law (1.2) against evenly drawn ones, in two slots,
            with aggregation ahead of the exchange

All unless named. --rounds (5) of each, in turn; --events (100000000) of each, of bids a fifth.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    events: { type: 'string', default: '100000000' },
    help: { type: 'boolean', default: false },
  },
});

/** Events of one lap. */
const lapEvents = 500_000;
const rounds = Number(values.rounds);
const laps = Math.ceil(Number(values.events) / lapEvents);
const module = new URL('./exchange-job.js', import.meta.url);

interface Sample {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/**
 * One run, from when all code is compiled (a third of the input) to its end. Slots tell how far they
 * are every quarter of a second.
 */
async function measure(argument: ExchangeJob, slots: number, parallelism = slots): Promise<Sample> {
  const job = run(exchangeJob(argument), {
    checkRecords: 'off',
    slots,
    parallelism,
    module,
    moduleArgument: argument,
  });
  await Promise.race([job.opened, job.done]);
  const warm = (argument.laps * lapOf(argument)) / 3;
  let before = 0;
  let isDone = false;
  const done = job.done.then(() => {
    isDone = true;
  });
  while (before < warm && !isDone) {
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, pollMs))]);
    before = job.progress().recordsIn;
  }
  const watch = new Stopwatch();
  await watch.time(() => done);
  const events = job.progress().recordsIn - before;
  return { perSecond: events / watch.wallSeconds, perCpuSecond: events / watch.cpuSeconds };
}

const pollMs = 5;

/** Records of one lap. */
const lapOf = ({ kind }: ExchangeJob): number => (kind === 'counts' ? drawsPerLap : lapEvents);

/** Rounds of several ways in turn, so that a slow spell of the machine touches all alike. */
async function inTurn(ways: readonly (() => Promise<Sample>)[]): Promise<readonly Sample[][]> {
  const samples: Sample[][] = ways.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, way] of ways.entries()) samples[at]!.push(await way());
  }
  return samples;
}

const millions = (value: number): string => `${(value / 1e6).toFixed(2)} M`;
const rateOf = (samples: readonly Sample[]): string =>
  `${millions(median(samples.map((s) => s.perSecond)))}/s, ` +
  `${millions(median(samples.map((s) => s.perCpuSecond)))} per CPU-second`;

/** Of each round one over the other. */
const ratioOf = (of: readonly Sample[], to: readonly Sample[], by: keyof Sample): string =>
  `× ${median(of.map((sample, at) => sample[by] / to[at]![by])).toFixed(2)}`;

async function queriesCase(input: string): Promise<void> {
  for (const query of ['q5', 'q11'] as const satisfies readonly QueryName[]) {
    const argument: ExchangeJob = { kind: 'query', query, input, laps };
    const [one, two] = await inTurn([() => measure(argument, 1), () => measure(argument, 2)]);
    console.log(`${query}, one slot:  ${rateOf(one!)}`);
    console.log(`${query}, two slots: ${rateOf(two!)}; wall ${ratioOf(two!, one!, 'perSecond')}`);
  }
}

async function subtasksCase(input: string): Promise<void> {
  for (const query of ['q5', 'q11'] as const satisfies readonly QueryName[]) {
    const argument: ExchangeJob = { kind: 'query', query, input, laps };
    const [one, two] = await inTurn([() => measure(argument, 1), () => measure(argument, 1, 2)]);
    console.log(`${query}, one subtask:  ${rateOf(one!)}`);
    const ratio = ratioOf(two!, one!, 'perSecond');
    console.log(`${query}, two subtasks in one slot: ${rateOf(two!)}; wall ${ratio}`);
  }
}

async function bidsCase(input: string): Promise<void> {
  const fewer = Math.ceil(laps / 5);
  const [bids] = await inTurn([() => measure({ kind: 'bids', input, laps: fewer }, 2)]);
  console.log(`whole events of which 92 % are bids, from thread to thread: ${rateOf(bids!)}`);
}

async function zipfCase(): Promise<void> {
  const laps = Math.ceil(Number(values.events) / drawsPerLap);
  const counts = (keys: 'zipf' | 'even') => () => measure({ kind: 'counts', keys, laps }, 2);
  const [zipf, even] = await inTurn([counts('zipf'), counts('even')]);
  console.log(`counts of 100,000 keys, drawn evenly: ${rateOf(even!)}`);
  console.log(
    `the same by Zipf's law (1.2): ${rateOf(zipf!)}; wall ${ratioOf(zipf!, even!, 'perSecond')}`,
  );
}

async function main(): Promise<void> {
  const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-exchange-'));
  try {
    const input = join(folder, 'events.ndjson');
    await writeLines(input, generate({ seed: 1, events: lapEvents, rate: 10_000, disorderMs: 0 }));
    if (wanted('queries')) await queriesCase(input);
    if (wanted('subtasks')) await subtasksCase(input);
    if (wanted('bids')) await bidsCase(input);
    if (wanted('zipf')) await zipfCase();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (values.help) console.log(usage);
else await main();
