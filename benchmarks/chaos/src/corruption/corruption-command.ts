import { parseArgs } from 'node:util';
import { UsageError, whole } from '../arguments.js';
import { attack } from './attack.js';
import { renderAttack } from './corruption-report.js';
import { mutationsWith } from './mutation.js';

const HELP = `Damages the checkpoints of stopped jobs, and restores each.

  npm run chaos -- corruption --mutations 10000 --seed 1

  --mutations N      damages of bytes (10000); a quarter as many of files come with them
  --seed N           of places and kinds of damage (1)

Bytes are damaged evenly in all that a restore reads; files are missing, exchanged, edited or rolled
back. It fails, naming seed and damage, where a restore gives a wrong state or output, goes back
behind published output, does not notice, hangs, or throws what is no typed refusal.
`;

/** The share of damaged jobs that are also run to their end. */
const finishShare = 0.02;

/**
 * @returns the exit code
 * @throws UsageError
 */
export async function corruptionCommand(args: readonly string[]): Promise<number> {
  const { help, ...options } = readOptions(args);
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { mutations, seed } = options;
  console.log(`${mutationsWith(mutations)} mutations, ${mutations} of them of bytes, seed ${seed}`);
  const begunMs = performance.now();
  const report = await attack({ mutations, seed, finishShare });
  console.log(`\n${renderAttack(report)}`);
  const seconds = ((performance.now() - begunMs) / 1_000).toFixed(1);
  if (report.violation === undefined) {
    console.log(`nothing wrong was restored in ${seconds} s`);
    return 0;
  }
  console.log(`FAILED: seed ${seed}, ${report.violation}`);
  return 1;
}

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        mutations: { type: 'string', default: '10000' },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    });
    const mutations = whole('mutations', values.mutations, 1);
    return { mutations, seed: whole('seed', values.seed, 0), help: values.help };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}
