import { cpus } from 'node:os';
import { type Contender, engineContender, loopContender } from '../bench/contender.js';
import { GcPauses } from '../bench/gc-pauses.js';
import { type BenchOptions, type Measurement, measure, warmUp } from '../bench/measure.js';
import { digestOf } from '../bench/row-hash.js';
import { countOf, repeated } from '../bench/shifted-batches.js';
import { type EventsInput, eventsOf } from '../events-input.js';
import { batchesOf, type EventBatch } from '../input.js';
import { loops, typedLoops } from '../loops/loops.js';
import { type QueryName, queryNames } from '../model.js';

/** Other queries that have run in the process before the first is measured. */
const queriesBefore = 6;

/** What was found out about one query. */
interface QueryFigures {
  readonly query: QueryName;
  readonly engine: Measurement;
  readonly loop: Measurement;
  readonly typed: Measurement | undefined;
  /** Steady rate of the engine to that of the loop. */
  readonly ratio: number;
  /** Rows of each way, as number and hash. */
  readonly rows: string;
  readonly rowsEqual: boolean;
}

/**
 * `bench`: engine against loops over the same events; a table, then all figures as JSON.
 *
 * `eventsMin`: events that are fed at once, at least; a short input is repeated.
 */
export async function benchCommand(
  queries: readonly QueryName[],
  input: EventsInput,
  { eventsMin, ...options }: BenchOptions & { readonly eventsMin: number },
): Promise<void> {
  const events = repeated(batchesOf(await eventsOf(input)), eventsMin);
  const perTurn = countOf(events);
  if (perTurn === 0) throw new Error('there are no events to measure on');
  const pauses = new GcPauses();
  console.log(`${perTurn} events a turn, ${options.rounds} rounds, M events per CPU-second`);
  for (const other of othersThan(queries[0]!)) {
    await warmUp(engineContender(other), events, options);
  }
  console.log(header);
  const figures: QueryFigures[] = [];
  for (const query of queries) {
    const found = await figuresOf(query, events, pauses, options);
    figures.push(found);
    console.log(lineOf(found));
  }
  pauses.close();
  const capped = geometricMean(figures.map(({ ratio }) => Math.min(ratio, 1)));
  const uncapped = geometricMean(figures.map(({ ratio }) => ratio));
  console.log(
    `geometric mean of the ratios: ${capped.toFixed(3)} capped at 1, ${uncapped.toFixed(3)} as they are`,
  );
  const machine = { node: process.version, cpu: cpus()[0]?.model, cpus: cpus().length };
  console.log(JSON.stringify({ ...machine, perTurn, ...options, capped, uncapped, figures }));
}

function othersThan(query: QueryName): readonly QueryName[] {
  const at = queryNames.indexOf(query);
  return [...queryNames.slice(at + 1), ...queryNames.slice(0, at)].slice(0, queriesBefore);
}

async function figuresOf(
  query: QueryName,
  events: readonly EventBatch[],
  pauses: GcPauses,
  options: BenchOptions,
): Promise<QueryFigures> {
  const typed = typedLoops[query];
  const contenders: Contender[] = [
    engineContender(query),
    loopContender(`${query} loop`, loops[query]),
    ...(typed === undefined ? [] : [loopContender(`${query} typed`, typed)]),
  ];
  const measured = await measure(contenders, events, pauses, options);
  const [engine, loop] = measured as [Measurement, Measurement];
  const digests: string[] = [];
  for (const contender of contenders) {
    digests.push(await digestOf(contender, events));
  }
  const rowsEqual = digests.every((digest) => digest === digests[0]);
  const rows = rowsEqual ? digests[0]! : digests.join(' / ');
  const ratio = engine.steady / loop.steady;
  return { query, engine, loop, typed: measured[2], ratio, rows, rowsEqual };
}

const columns = ['query', 'engine', 'loop', 'ratio', 'cold: engine', 'loop', 'ratio'];
const header = [...columns, 'rows equal', 'engine gc', 'loop gc', 'rows'].join('\t');

function lineOf({ query, engine, loop, typed, ratio, rows, rowsEqual }: QueryFigures): string {
  const cells = [
    query,
    millions(engine.steady),
    millions(loop.steady),
    ratio.toFixed(3),
    millions(engine.cold),
    millions(loop.cold),
    (engine.cold / loop.cold).toFixed(3),
    rowsEqual ? 'yes' : 'NO',
    pausesOf(engine),
    pausesOf(loop),
    rows,
  ];
  const line = cells.join('\t');
  if (typed === undefined) return line;
  return `${line}\n${typed.name}\t${millions(typed.steady)}\t\t\t${millions(typed.cold)}`;
}

function pausesOf({ gc }: Measurement): string {
  return `${(gc.share * 100).toFixed(1)} % max ${gc.maxMs.toFixed(1)} ms`;
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(1);
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
