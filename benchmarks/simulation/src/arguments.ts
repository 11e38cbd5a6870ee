import { parseArgs } from 'node:util';

export interface Arguments {
  /** Seeds in all. */
  readonly seeds: number;
  readonly from: number;
  /** Processes that share them. */
  readonly workers: number;
  /** Replay this one alone. */
  readonly seed: number | undefined;
  readonly trace: 'shown' | 'hidden';
  readonly minimise: 'yes' | 'no';
  readonly keepGoing: 'yes' | 'no';
  /** Look for bugs that are planted, instead of real ones. */
  readonly planted: 'yes' | 'no';
  /** Of them those with this in their names. */
  readonly only: string | undefined;
  readonly help: boolean;
}

/** The user asked for something that cannot be. */
export class UsageError extends Error {}

export const HELP = `Runs random jobs in a simulated world that kills, pauses and starves them, one
world for each seed, and checks what they give.

  npm run sim -- --seeds 1000 --from 1
  npm run sim -- --seed 42 --trace

  --seeds N       how many (1000); of a planted bug at most (2000)
  --from N        the first one (1)
  --workers N     processes that share them (2)
  --keep-going    do not stop at a violation
  --seed N        replay one seed
  --trace         and print its timeline
  --minimise      and look for a smaller job and fewer faults that fail, too
  --planted       plant bugs, one after another, and see that each is found
  --only TEXT     of those the ones with this in their names

It fails where an output is not what it is without faults, a record gets lost, a checkpoint cannot be
restored, two processes own the job, something is left running, or a job does not come to its end.
`;

/**
 * Reads the command line.
 *
 * @throws UsageError
 */
export function readArguments(args: readonly string[]): Arguments {
  const values = parse(args);
  return {
    seeds: whole('seeds', values.seeds ?? (values.planted ? '2000' : '1000'), 1),
    from: whole('from', values.from, 0),
    workers: whole('workers', values.workers, 1),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed, 0),
    trace: values.trace ? 'shown' : 'hidden',
    minimise: values.minimise ? 'yes' : 'no',
    keepGoing: values['keep-going'] ? 'yes' : 'no',
    planted: values.planted ? 'yes' : 'no',
    only: values.only,
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string' },
        from: { type: 'string', default: '1' },
        workers: { type: 'string', default: '2' },
        seed: { type: 'string' },
        trace: { type: 'boolean', default: false },
        minimise: { type: 'boolean', default: false },
        'keep-going': { type: 'boolean', default: false },
        planted: { type: 'boolean', default: false },
        only: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(name: string, text: string, min: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= min) return number;
  throw new UsageError(`--${name} should be a whole number of at least ${min}, found ${text}`);
}
