import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError, whole } from '../../arguments.js';
import { damages } from './damages.js';
import { RollbackRun, type TrialReport } from './rollback-run.js';

const HELP = `Puts older or damaged streams and checkpoints under a job from stream to stream.

  npm run chaos -- jetstream-rollback --trials 5 --seed 1

  --trials N         of each damage (5)
  --seed N           of places (1)

While job and server are down, the output or input stream, the checkpoint folder or its commit files
are replaced by what they were some checkpoints ago, deleted, or damaged by a bit. It fails where the
job goes on although it cannot know what it has published, ends with anything but a typed error of
that kind, or the output has a row twice or a wrong one.
`;

/**
 * @returns the exit code
 * @throws UsageError
 */
export async function rollbackCommand(args: readonly string[]): Promise<number> {
  const { trials, seed, help } = readOptions(args);
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  console.log(`${trials} trials of ${damages.length} damages, seed ${seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rollback-'));
  try {
    const reports = await attack(folder, { trials, seed });
    rmSync(folder, { recursive: true });
    console.log(`\n${render(reports)}`);
    return 0;
  } catch (error) {
    console.log(`\nFAILED: ${error instanceof Error ? error.message : error}`);
    console.log(`copies of its files are in ${folder}`);
    console.log(`again: npm run chaos -- jetstream-rollback --trials ${trials} --seed ${seed}`);
    return 1;
  }
}

async function attack(
  folder: string,
  { trials, seed }: { readonly trials: number; readonly seed: number },
): Promise<readonly TrialReport[]> {
  const run = await RollbackRun.prepare({ folder, seed });
  try {
    const reports: TrialReport[] = [];
    for (const damage of damages) {
      for (let trial = 0; trial < trials; trial += 1) reports.push(await run.inflict(damage));
    }
    return reports;
  } finally {
    await run.stop();
  }
}

function render(reports: readonly TrialReport[]): string {
  const lines = damages.flatMap(({ name }) => {
    const own = reports.filter(({ damage }) => damage === name);
    const outcomes = [...new Set(own.map(({ outcome }) => outcome))];
    return outcomes.map((outcome) => {
      const same = own.filter((report) => report.outcome === outcome);
      const lossy = same.filter(({ rowsLost }) => rowsLost > 0).length;
      const lost = lossy === 0 ? '' : `  (rows of before are gone: ${lossy})`;
      return `${name.padEnd(45)} ${String(same.length).padStart(4)}  ${outcome}${lost}`;
    });
  });
  return [...lines, `${reports.length} trials: no row is there twice, and none that is wrong`].join(
    '\n',
  );
}

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        trials: { type: 'string', default: '5' },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    });
    const trials = whole('trials', values.trials, 1);
    return { trials, seed: whole('seed', values.seed, 0), help: values.help };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}
