import { type BenchOptions, type Contender, measure } from '../bench.js';
import { type GeneratorOptions, generate } from '../generator/generator.js';
import { batchesOf, type EventBatch, parseEvent, readEvents } from '../input.js';
import { drive } from '../loops/loop.js';
import { loops } from '../loops/loops.js';
import { CountingSink } from '../loops/row-sink.js';
import type { Event, QueryName } from '../model.js';

/** Events to measure on: those of a file, or generated ones. */
export type BenchInput = { readonly path: string } | GeneratorOptions;

/** `bench`: measures the loops and prints a table of M events per CPU-second and per second. */
export async function benchCommand(
  queries: readonly QueryName[],
  input: BenchInput,
  options: BenchOptions,
): Promise<void> {
  const events = await eventsOf(input);
  const batches = batchesOf(events);
  const contenders = queries.map((query) => loopContender(query, batches));
  const rate = (seconds: number): string => (events.length / seconds / 1e6).toFixed(1);
  console.log(`${events.length} events, medians of ${options.rounds} rounds`);
  console.log('name\trows\tM events/CPU-s\tM events/s');
  for (const { name, rows, cpuSeconds, wallSeconds } of await measure(contenders, options)) {
    console.log(`${name}\t${rows}\t${rate(cpuSeconds)}\t${rate(wallSeconds)}`);
  }
}

/** Generated events go through text: parsed objects are laid out differently from built ones. */
async function eventsOf(input: BenchInput): Promise<Event[]> {
  if ('path' in input) return readEvents(input.path);
  return Array.from(generate(input), (event) => parseEvent(JSON.stringify(event)));
}

function loopContender(query: QueryName, batches: readonly EventBatch[]): Contender {
  return {
    name: `${query} loop`,
    run: () => {
      const sink = new CountingSink();
      drive(new loops[query](sink), batches);
      return sink.count;
    },
  };
}
