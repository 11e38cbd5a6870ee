import { parseArgs } from 'node:util';
import { type Duration, durationMs } from '@millrace/core';

/** What the user asked for. */
export interface Arguments {
  readonly input: string | undefined;
  readonly seed: number;
  readonly cards: number;
  readonly terminals: number;
  readonly days: number;
  readonly disorderMs: number;
  readonly skipBad: boolean;
  readonly alerts: string;
  /** Folder of the checkpoints; undefined: none are taken. */
  readonly checkpoints: string | undefined;
  /** Time from the start of one to the start of the next. */
  readonly checkpointInterval: Duration;
  /** Threads. */
  readonly slots: number;
  readonly fresh: boolean;
  readonly summary: 'json' | 'text';
  readonly quiet: boolean;
  readonly help: boolean;
}

/** The user asked for something that cannot be; the message says what to do. */
export class UsageError extends Error {}

export const HELP = `Finds card fraud in a stream of transactions, live.

  npm start                            simulated transactions: 5,000 cards, 183 days
  npm start -- --input FILE            a CSV file, plain or .gz, with a header and the columns
                                       id,at,card,terminal,amount[,fraud,scenario]
                                       (at: epoch ms; fraud: 0 or 1; scenario: 0 to 3)

  --seed N --cards N --terminals N --days N    what is simulated (1, 5000, 10000, 183)
  --alerts FILE       where alerts are written, a JSON object a line (out/alerts.ndjson)
  --checkpoints DIR   what a stopped run goes on from, killed or not (the name of the alerts
                      file and ".state"); other transactions or options begin anew
  --checkpoint-interval TIME   what a kill costs at most (2s)
  --no-checkpoints    keep nothing to go on from
  --slots N           threads that run side by side (1)
  --fresh             begin anew in any case
  --summary text|json how the end is told; with json it is the last line of the output,
                      and everything else goes to the error output
  --disorder-ms N     how far behind the newest transaction another one may be (0)
  --skip-bad          leave out lines that are no transactions, and count them
  --quiet             show nothing but the summary
  --help              this text

Where the input has no column "fraud", precision and recall are null; without "scenario" (or
"fraud"), frauds and caught of each scenario are null.
`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const OPTIONS = {
  input: text,
  seed: text,
  cards: text,
  terminals: text,
  days: text,
  'disorder-ms': text,
  'skip-bad': flag,
  alerts: { type: 'string', default: 'out/alerts.ndjson' },
  checkpoints: text,
  'checkpoint-interval': { type: 'string', default: '2s' },
  'no-checkpoints': flag,
  slots: text,
  fresh: flag,
  summary: { type: 'string', default: 'text' },
  quiet: flag,
  help: flag,
} as const;

/**
 * Reads the command line.
 *
 * @throws UsageError
 */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parse(args);
  const { input, summary } = values;
  if (summary !== 'text' && summary !== 'json') {
    throw new UsageError(`--summary should be text or json, found ${JSON.stringify(summary)}`);
  }
  if (input === '') throw new UsageError('--input should be the path of a CSV file, found nothing');
  for (const name of ['seed', 'cards', 'terminals', 'days'] as const) {
    if (input !== undefined && values[name] !== undefined) {
      throw new UsageError(`--${name} is for simulated transactions: leave it or --input out`);
    }
  }
  return {
    input,
    seed: whole('seed', values.seed, 1),
    cards: whole('cards', values.cards, 5_000),
    terminals: whole('terminals', values.terminals, 10_000),
    days: whole('days', values.days, 183),
    disorderMs: whole('disorder-ms', values['disorder-ms'], 0),
    skipBad: values['skip-bad'],
    alerts: values.alerts,
    checkpoints: checkpointsOf(values),
    checkpointInterval: durationOf('checkpoint-interval', values['checkpoint-interval']),
    slots: whole('slots', values.slots, 1),
    fresh: values.fresh,
    summary,
    quiet: values.quiet,
    help: values.help,
  };
}

function checkpointsOf(values: ReturnType<typeof parse>['values']): string | undefined {
  const { checkpoints, alerts, 'no-checkpoints': isOff } = values;
  if (checkpoints === '') throw new UsageError('--checkpoints should be a folder, found nothing');
  if (!isOff) return checkpoints ?? `${alerts}.state`;
  if (checkpoints === undefined) return undefined;
  throw new UsageError('--checkpoints and --no-checkpoints: leave one of them out');
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function durationOf(name: string, value: string): Duration {
  try {
    durationMs(value as Duration, name);
    return value as Duration;
  } catch {
    throw new UsageError(`--${name} should be a time such as 2s, found ${JSON.stringify(value)}`);
  }
}

function whole(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number)) return number;
  throw new UsageError(`--${name} should be a whole number, found ${JSON.stringify(value)}`);
}
