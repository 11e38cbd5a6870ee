import { parseArgs } from 'node:util';
import type { BenchOptions } from './bench.js';
import type { BenchInput } from './commands/bench.js';
import type { GeneratorOptions } from './generator/generator.js';
import { type QueryName, queryNames } from './model.js';

/** What the commands take, and what is taken when nothing is said. */
export const usage = `Usage: nexmark <command> [options]

  generate --output FILE[.gz]   write events as NDJSON
      --seed N (1)  --events N (1000000)  --rate N, events per second of event time (10000)
      --disorder-ms N, bound of lateness (0)
  check [query …]               compare results with the golden ones
  bench [query …]               measure M events per CPU-second
      --input FILE[.gz], or the options of generate  --rounds N (5)  --warmups N (2)

Queries: ${queryNames.join(' ')}; all unless named.`;

/** A command of the command line with all it needs. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'generate'; readonly options: GeneratorOptions; readonly output: string }
  | { readonly name: 'check'; readonly queries: readonly QueryName[] }
  | {
      readonly name: 'bench';
      readonly queries: readonly QueryName[];
      readonly input: BenchInput;
      readonly options: BenchOptions;
    };

/** Reads the arguments after the program's name; throws an error whose message is for the user. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const [name, ...names] = positionals;
  if (values.help || name === undefined) return { name: 'help' };
  switch (name) {
    case 'generate':
      if (values.output === undefined) throw new Error('generate needs --output FILE');
      return { name, options: generatorOptionsOf(values), output: values.output };
    case 'check':
      return { name, queries: queriesOf(names) };
    case 'bench': {
      const input =
        values.input === undefined ? generatorOptionsOf(values) : { path: values.input };
      const rounds = wholeOf('rounds', values.rounds, 1);
      const warmups = wholeOf('warmups', values.warmups, 0);
      return { name, queries: queriesOf(names), input, options: { rounds, warmups } };
    }
    default:
      throw new Error(`Unknown command: ${name}`);
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      events: { type: 'string', default: '1000000' },
      rate: { type: 'string', default: '10000' },
      'disorder-ms': { type: 'string', default: '0' },
      output: { type: 'string' },
      input: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      warmups: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  });
}

function generatorOptionsOf(values: ReturnType<typeof parse>['values']): GeneratorOptions {
  const rate = Number(values.rate);
  if (!(rate > 0 && rate < Number.POSITIVE_INFINITY)) {
    throw new Error(`--rate must be a positive number, not ${values.rate}`);
  }
  return {
    seed: wholeOf('seed', values.seed, 0),
    events: wholeOf('events', values.events, 0),
    rate,
    disorderMs: wholeOf('disorder-ms', values['disorder-ms'], 0),
  };
}

function wholeOf(option: string, text: string, min: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= min) return number;
  throw new Error(`--${option} must be a whole number of at least ${min}, not ${text}`);
}

function queriesOf(names: readonly string[]): readonly QueryName[] {
  const unknown = names.filter((name) => !queryNames.some((query) => query === name));
  if (unknown.length > 0) throw new Error(`Unknown queries: ${unknown.join(', ')}`);
  return names.length === 0 ? queryNames : queryNames.filter((query) => names.includes(query));
}
