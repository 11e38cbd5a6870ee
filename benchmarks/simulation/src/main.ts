import { minimiseSeed, type SeedResult, simulateSeed } from '@millrace/testing';
import { type Arguments, HELP, readArguments, UsageError } from './arguments.js';
import { runPlanted } from './planted/run-planted.js';
import { runRange } from './run-range.js';

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) process.stdout.write(HELP);
  else if (args.planted === 'yes') process.exitCode = (await runPlanted(args)) ? 0 : 1;
  else if (args.seed === undefined) await range(args);
  else await replay(args.seed, args);
}

async function range(args: Arguments): Promise<void> {
  const { violations, seeds, effectiveFaults } = await runRange(args);
  const faults = Object.entries(effectiveFaults).map(([kind, count]) => `${kind} ${count}`);
  console.log(`${seeds} seeds, ${violations.length} violations; faults: ${faults.join(', ')}`);
  const [first] = violations;
  if (first === undefined) return;
  console.log(`again: npm run sim -- --seed ${first.seed} --trace`);
  process.exitCode = 1;
}

async function replay(seed: number, { trace, minimise }: Arguments): Promise<void> {
  const result = minimise === 'yes' ? await minimiseSeed(seed) : await simulateSeed(seed);
  if (trace === 'shown') printTimeline(result);
  if (minimise === 'yes') console.log(JSON.stringify(result.case, undefined, 1));
  const { verdict, violation, traceHash, picks, effectiveFaults } = result;
  const { committedCheckpoints, unalignedCheckpoints } = result;
  console.log(
    `seed ${seed}: ${verdict}, trace ${traceHash}, ${picks} picks, ` +
      `${committedCheckpoints} checkpoints (${unalignedCheckpoints} unaligned), faults ${JSON.stringify(effectiveFaults)}`,
  );
  if (violation === undefined) return;
  console.log(`VIOLATION ${violation.message}`);
  process.exitCode = 1;
}

function printTimeline({ timeline }: SeedResult): void {
  for (const { pick, atMs, label } of timeline) {
    console.log(`${String(pick).padStart(7)} ${atMs.toFixed(3).padStart(12)} ms  ${label}`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
