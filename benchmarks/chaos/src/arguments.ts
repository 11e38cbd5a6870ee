import { parseArgs } from 'node:util';
import { type JobName, jobNames } from './jobs.js';

export interface Arguments {
  readonly kills: number;
  readonly seed: number;
  readonly jobs: readonly JobName[];
  /** All jobs are attacked. */
  readonly isWhole: boolean;
  readonly backend: (typeof backends)[number] | undefined;
  readonly slots: number;
  readonly help: boolean;
}

const backends = ['heap', 'level'] as const;

/** The user asked for something that cannot be. */
export class UsageError extends Error {}

export const HELP = `Kills jobs with SIGKILL, again and again, and compares what they write with
what they write undisturbed.

  npm run chaos -- embedded --kills 50 --seed 1

  --kills N          over all jobs (50)
  --seed N           of moments and steps (1)
  --job NAME         one of ${jobNames.join(', ')}, may be repeated; all unless named
  --backend heap|level   where state is (heap)
  --slots N          threads of the queries (1); with several all kills come at random moments

Some kills come at random moments, others right before, within or right after a step of the commit
order. It fails where an output differs by a byte, a process goes on from anything but the newest
committed checkpoint, less than 80 % of the kills come after a commit, or a step was left out.

Other commands, each with a --help of its own:

  npm run chaos -- corruption           damages what jobs are restored from
  npm run chaos -- jetstream            kills and stops a job from stream to stream, and its server
  npm run chaos -- jetstream-rollback   puts older or damaged streams and checkpoints under that job
`;

/**
 * Reads the command line.
 *
 * @throws UsageError
 */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const { help } = values;
  const backend = backends.find((name) => name === values.backend);
  if (backend === undefined && values.backend !== undefined) {
    throw new UsageError(`--backend should be heap or level, found ${values.backend}`);
  }
  if (!help && (positionals.length !== 1 || positionals[0] !== 'embedded')) {
    throw new UsageError('say what to kill: npm run chaos -- embedded; --help shows more');
  }
  const unknown = values.job.find((name) => !jobNames.some((job) => job === name));
  if (unknown !== undefined) {
    throw new UsageError(`--job should be one of ${jobNames.join(', ')}, found ${unknown}`);
  }
  const chosen = jobNames.filter((job) => values.job.includes(job));
  return {
    kills: whole('kills', values.kills, 1),
    seed: whole('seed', values.seed, 0),
    jobs: chosen.length === 0 ? jobNames : chosen,
    isWhole: chosen.length === 0 || chosen.length === jobNames.length,
    backend,
    slots: whole('slots', values.slots, 1),
    help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        kills: { type: 'string', default: '50' },
        seed: { type: 'string', default: '1' },
        job: { type: 'string', multiple: true, default: [] },
        backend: { type: 'string' },
        slots: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * A whole number of an option.
 *
 * @throws UsageError
 */
export function whole(name: string, text: string, min: number): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= min) return number;
  throw new UsageError(`--${name} should be a whole number of at least ${min}, found ${text}`);
}
