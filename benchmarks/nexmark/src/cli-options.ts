import { parseArgs } from 'node:util';
import { type Duration, durationMs } from '@millrace/core';
import type { BenchOptions } from './bench/measure.js';
import type { CheckInput, CheckOptions } from './commands/check.js';
import type { RunCommand } from './commands/run.js';
import { type Backend, backends, type Durability } from './engine/durability.js';
import type { EventsInput } from './events-input.js';
import type { GeneratorOptions } from './generator/generator.js';
import { type QueryName, queryNames } from './model.js';

/** What the commands take, and what is taken when nothing is said. */
export const usage = `Usage: nexmark <command> [options]

  run <query> --input FILE[.gz] --output FILE[.gz]
                                run a query by the engine, write its rows, print its speed
      --repeat N (1), medians over N runs in this process
      --rate N, events a second at most  --backend heap|level (heap), where state is
      --checkpoints DIR         run durably: begun again after a kill, the same command goes on
      --checkpoint-interval T (1s), such as 200ms
      --slots N (1), threads  --parallelism N, subtasks of each operator (the slots)
  check [query …]               compare results with golden ones
      --input FILE[.gz] --golden DIR; without them the two sets of the benchmark
      --slots N (1), which take turns in one thread  --parallelism N (the slots)
  bench [query …]               engine against hand-written loops, M events per CPU-second
      --input FILE[.gz], or the options of generate
      --rounds N (5)  --events-min N (1000000), input is repeated to this size
  memory                        bytes per key of a million live keys in a window
      --keys N (1000000)
  generate --output FILE[.gz]   write events as NDJSON
      --seed N (1)  --events N (1000000)  --rate N, events per second of event time (10000)
      --disorder-ms N, bound of lateness (0)

Queries: ${queryNames.join(' ')}; all unless named.`;

/** A mistake in the arguments; its message is for the user. */
export class UsageError extends Error {}

/** A command of the command line with all it needs. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'generate'; readonly options: GeneratorOptions; readonly output: string }
  | { readonly name: 'run'; readonly options: RunCommand }
  | {
      readonly name: 'check';
      readonly queries: readonly QueryName[];
      readonly inputs: readonly CheckInput[] | undefined;
      readonly options: CheckOptions;
    }
  | {
      readonly name: 'bench';
      readonly queries: readonly QueryName[];
      readonly input: EventsInput;
      readonly options: BenchOptions & { readonly eventsMin: number };
    }
  | { readonly name: 'memory'; readonly keys: number };

/**
 * Reads the arguments after the program's name.
 *
 * @throws UsageError when they make no command
 */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const [name, ...names] = positionals;
  if (values.help || name === undefined) return { name: 'help' };
  switch (name) {
    case 'generate':
      return { name, options: generatorOptionsOf(values), output: needed(values, name, 'output') };
    case 'run':
      return runOf(values, names);
    case 'check':
      return {
        name,
        queries: queriesOf(names),
        inputs: checkInputsOf(values),
        options: slotsOf(values),
      };
    case 'bench':
      return benchOf(values, names);
    case 'memory':
      return { name, keys: wholeOf('keys', values.keys, 1) };
    default:
      throw new UsageError(`Unknown command: ${name}`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: { type: 'string', default: '1' },
        events: { type: 'string', default: '1000000' },
        rate: { type: 'string' },
        'disorder-ms': { type: 'string', default: '0' },
        input: { type: 'string' },
        output: { type: 'string' },
        golden: { type: 'string' },
        repeat: { type: 'string', default: '1' },
        backend: { type: 'string' },
        checkpoints: { type: 'string' },
        'checkpoint-interval': { type: 'string' },
        rounds: { type: 'string', default: '5' },
        'events-min': { type: 'string', default: '1000000' },
        keys: { type: 'string', default: '1000000' },
        slots: { type: 'string', default: '1' },
        parallelism: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Values = ReturnType<typeof parse>['values'];

const slotsOf = ({ slots, parallelism }: Values): CheckOptions => ({
  slots: wholeOf('slots', slots, 1),
  parallelism: parallelism === undefined ? undefined : wholeOf('parallelism', parallelism, 1),
});

function runOf(values: Values, names: readonly string[]): Command {
  const [query, ...others] = queriesOf(names);
  if (names.length !== 1 || query === undefined || others.length > 0) {
    throw new UsageError(`run needs one query of ${queryNames.join(' ')}`);
  }
  const durability = durabilityOf(values);
  const repeat = wholeOf('repeat', values.repeat, 1);
  if (durability !== undefined && repeat > 1) {
    throw new UsageError('--repeat is for runs without --checkpoints: those run once');
  }
  const options: RunCommand = {
    query,
    input: needed(values, 'run', 'input'),
    output: needed(values, 'run', 'output'),
    repeat,
    eventsPerSecond: values.rate === undefined ? undefined : rateOf(values.rate),
    backend: backendOf(values.backend),
    ...slotsOf(values),
    durability,
  };
  return { name: 'run', options };
}

function durabilityOf(values: Values): Durability | undefined {
  const { checkpoints: folder, 'checkpoint-interval': interval, output } = values;
  if (folder === undefined) {
    if (interval === undefined) return undefined;
    throw new UsageError('--checkpoint-interval needs --checkpoints DIR, where they are kept');
  }
  if (folder === '') throw new UsageError('--checkpoints needs a folder');
  if (output?.endsWith('.gz')) {
    throw new UsageError('with --checkpoints the output cannot be packed: --output FILE');
  }
  return { folder, interval: interval === undefined ? undefined : durationOf(interval) };
}

function durationOf(text: string): Duration {
  try {
    if (durationMs(text as Duration, 'checkpoint-interval') >= 1) return text as Duration;
  } catch {
    // Said below.
  }
  throw new UsageError(`--checkpoint-interval must be a time such as 200ms or 1s, not ${text}`);
}

function backendOf(text: string | undefined): Backend | undefined {
  const backend = backends.find((name) => name === text);
  if (text === undefined || backend !== undefined) return backend;
  throw new UsageError(`--backend must be ${backends.join(' or ')}, not ${text}`);
}

function checkInputsOf(values: Values): readonly CheckInput[] | undefined {
  if (values.input === undefined && values.golden === undefined) return undefined;
  const events = needed(values, 'check', 'input');
  return [{ events, folder: needed(values, 'check', 'golden') }];
}

function benchOf(values: Values, names: readonly string[]): Command {
  const input = values.input === undefined ? generatorOptionsOf(values) : { path: values.input };
  const rounds = wholeOf('rounds', values.rounds, 1);
  const eventsMin = wholeOf('events-min', values['events-min'], 1);
  return { name: 'bench', queries: queriesOf(names), input, options: { rounds, eventsMin } };
}

function generatorOptionsOf(values: Values): GeneratorOptions {
  return {
    seed: wholeOf('seed', values.seed, 0),
    events: wholeOf('events', values.events, 0),
    rate: rateOf(values.rate ?? '10000'),
    disorderMs: wholeOf('disorder-ms', values['disorder-ms'], 0),
  };
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate < Number.POSITIVE_INFINITY) return rate;
  throw new UsageError(`--rate must be a positive number, not ${text}`);
}

function needed(values: Values, command: string, option: 'input' | 'output' | 'golden'): string {
  const value = values[option];
  if (value !== undefined) return value;
  const kind = option === 'golden' ? 'DIR' : 'FILE';
  throw new UsageError(`${command} needs --${option} ${kind}`);
}

function wholeOf(option: string, text: string, min: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= min) return number;
  throw new UsageError(`--${option} must be a whole number of at least ${min}, not ${text}`);
}

function queriesOf(names: readonly string[]): readonly QueryName[] {
  const unknown = names.filter((name) => !queryNames.some((query) => query === name));
  if (unknown.length > 0) {
    throw new UsageError(
      `Unknown queries: ${unknown.join(', ')}; there are ${queryNames.join(' ')}`,
    );
  }
  return names.length === 0 ? queryNames : queryNames.filter((query) => names.includes(query));
}
