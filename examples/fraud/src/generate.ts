import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { CSV_HEADER, csvLine } from './model/csv.js';
import { type SimulationOptions, simulateDays } from './model/simulate.js';

/**
 * Writes simulated transactions as CSV:
 * `node dist/generate.js --seed 1 --cards 5000 --terminals 10000 --days 183 --output FILE`
 * (without `--output`: to standard output).
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      cards: { type: 'string', default: '5000' },
      terminals: { type: 'string', default: '10000' },
      days: { type: 'string', default: '183' },
      output: { type: 'string' },
    },
  });
  const lines = Readable.from(
    csvChunks({
      seed: whole('seed', values.seed),
      cards: whole('cards', values.cards),
      terminals: whole('terminals', values.terminals),
      days: whole('days', values.days),
    }),
  );
  if (values.output === undefined) await pipeline(lines, process.stdout);
  else await pipeline(lines, createWriteStream(values.output));
}

function* csvChunks(options: SimulationOptions): Generator<string> {
  yield `${CSV_HEADER}\n`;
  for (const day of simulateDays(options)) {
    if (day.length > 0) yield `${day.map(csvLine).join('\n')}\n`;
  }
}

function whole(name: string, value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} should be a whole number, found ${JSON.stringify(value)}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
