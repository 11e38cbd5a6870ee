import { parseArgs } from 'node:util';
import { UsageError } from '../arguments.js';
import type { LiveSettings } from './settings.js';

const parts = ['all', 'server', 'load', 'job', 'alerts', 'check'] as const;
export type Part = (typeof parts)[number];

/** What the user asked for. */
export interface LiveArguments extends LiveSettings {
  readonly part: Part;
  readonly fresh: boolean;
  readonly help: boolean;
}

export const HELP = `Card fraud on NATS JetStream: transactions in from one stream, alerts out to another.

  npm run fraud:nats                starts a server, a load, the job and a view of the alerts
  npm run fraud:nats -- PART        starts one of them alone: server, load, job, alerts
  npm run fraud:nats -- check       compares what is in the alerts' stream with what should be

Kill any part (kill -9 and the number that is shown with it), start it again, kill the server, too:
the alerts have no gap and no double. Ctrl-C ends all; the same command goes on from there.

  --rate N        transactions a second (2000)
  --port N        of the server, on this machine (14222)
  --seed N        of the simulated transactions (1)
  --folder DIR    where the server and the checkpoints keep their files (out/fraud-nats)
  --fresh         delete that folder first
  --help          this text
`;

const OPTIONS = {
  rate: { type: 'string', default: '2000' },
  port: { type: 'string', default: '14222' },
  seed: { type: 'string', default: '1' },
  folder: { type: 'string', default: 'out/fraud-nats' },
  fresh: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/**
 * Reads the command line.
 *
 * @throws UsageError
 */
export function readLiveArguments(args: readonly string[]): LiveArguments {
  const { values, positionals } = parse(args);
  const [name = 'all', ...more] = positionals;
  const part = parts.find((each) => each === name);
  if (part === undefined || more.length > 0) {
    throw new UsageError(`one of ${parts.join(', ')} expected, found ${positionals.join(' ')}`);
  }
  if (values.fresh && part !== 'all') throw new UsageError('--fresh is for all parts together');
  return {
    part,
    rate: whole('rate', values.rate, 1),
    port: whole('port', values.port, 1),
    seed: whole('seed', values.seed, 0),
    folder: values.folder,
    fresh: values.fresh,
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, value: string, min: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= min) return number;
  throw new UsageError(`--${name} should be a whole number from ${min} on, found "${value}"`);
}
