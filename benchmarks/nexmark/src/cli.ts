#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { benchCommand } from './commands/bench.js';
import { checkCommand } from './commands/check.js';
import { generateCommand } from './commands/generate.js';
import { type QueryName, queryNames } from './model.js';

const usage = `Usage: nexmark <command> [options]

  generate --output FILE[.gz]   write events as NDJSON
      --seed N (1)  --events N (1000000)  --rate N, events per second of event time (10000)
      --disorder-ms N, bound of lateness (0)
  check [query …]               compare results with the golden ones
  bench [query …]               measure M events per CPU-second
      --input FILE[.gz], or the options of generate  --rounds N (5)  --warmups N (2)

Queries: ${queryNames.join(' ')}; all unless named.`;

const { values, positionals } = parseArgs({
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

type NumberOption = 'seed' | 'events' | 'rate' | 'disorder-ms' | 'rounds' | 'warmups';

/** The option's number, which must be at least `min`. */
function numberOf(option: NumberOption, min: number): number {
  const number = Number(values[option]);
  if (Number.isFinite(number) && number >= min) return number;
  throw new Error(`--${option} must be a number of at least ${min}, not ${values[option]}`);
}

function generatorOptions() {
  return {
    seed: numberOf('seed', 0),
    events: numberOf('events', 0),
    rate: numberOf('rate', Number.MIN_VALUE),
    disorderMs: numberOf('disorder-ms', 0),
  };
}

function queriesOf(names: readonly string[]): readonly QueryName[] {
  const unknown = names.filter((name) => !queryNames.some((query) => query === name));
  if (unknown.length > 0) throw new Error(`Unknown queries: ${unknown.join(', ')}`);
  return names.length === 0 ? queryNames : queryNames.filter((query) => names.includes(query));
}

async function run(command: string | undefined, names: readonly string[]): Promise<void> {
  switch (command) {
    case 'generate':
      if (values.output === undefined) throw new Error('generate needs --output FILE');
      return generateCommand(generatorOptions(), values.output);
    case 'check':
      if (!(await checkCommand(queriesOf(names)))) process.exitCode = 1;
      return;
    case 'bench': {
      const input = values.input === undefined ? generatorOptions() : { path: values.input };
      const options = { rounds: numberOf('rounds', 1), warmups: numberOf('warmups', 0) };
      return benchCommand(queriesOf(names), input, options);
    }
    default:
      throw new Error(`Unknown command: ${command}`);
  }
}

const [command, ...names] = positionals;
if (values.help || command === undefined) {
  console.log(usage);
} else {
  try {
    await run(command, names);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
