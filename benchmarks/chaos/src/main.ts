import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Arguments, HELP, readArguments, UsageError } from './arguments.js';
import { commitSteps } from './commit-steps.js';
import { corruptionCommand } from './corruption/corruption-command.js';
import { jetstreamCommand } from './jetstream/jetstream-command.js';
import { rollbackCommand } from './jetstream/rollback/rollback-command.js';
import { type JobReport, killJob } from './job-run.js';
import { type JobName, jobs } from './jobs.js';
import { afterCommitShareMin, renderReport, reportOf } from './report.js';

/** Kills for each step that a run must have for it to be sure to come to all of them. */
const killsPerStep = 1.6;

/** Beside `embedded`. */
const otherCommands: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  corruption: corruptionCommand,
  jetstream: jetstreamCommand,
  'jetstream-rollback': rollbackCommand,
};

async function main(): Promise<void> {
  const [command = '', ...others] = process.argv.slice(2);
  const other = otherCommands[command];
  if (other !== undefined) {
    process.exitCode = await other(others);
    return;
  }
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(HELP);
    return;
  }
  console.log(`${args.kills} kills over ${args.jobs.join(', ')}, seed ${args.seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  const inputs = new Map<string, Promise<void>>();
  const reports: JobReport[] = [];
  for (const [index, job] of args.jobs.entries()) {
    const kills = shareOf(args, index);
    if (kills === 0) continue;
    try {
      reports.push(await attack(args, job, { kills, folder, inputs }));
    } catch (error) {
      console.log(`\n${job} FAILED: ${error instanceof Error ? error.message : error}`);
      console.log(`its files are in ${join(folder, job)}`);
      console.log(`again: ${replayOf(args, job, kills)}`);
      process.exitCode = 1;
      return;
    }
  }
  rmSync(folder, { recursive: true });
  conclude(args, reports);
}

async function attack(
  { seed, backend, slots }: Arguments,
  job: JobName,
  { kills, folder, inputs }: { kills: number; folder: string; inputs: Map<string, Promise<void>> },
): Promise<JobReport> {
  const { input, writeInput } = jobs[job];
  const path = join(folder, input);
  if (!inputs.has(input)) inputs.set(input, writeInput(path));
  await inputs.get(input);
  const own = join(folder, job);
  mkdirSync(own);
  const begunMs = performance.now();
  const report = await killJob({ job, kills, seed, backend, slots, folder: own, input: path });
  const seconds = ((performance.now() - begunMs) / 1_000).toFixed(1);
  console.log(`${job.padEnd(6)} ${kills} kills in ${seconds} s: the output is as it should be`);
  rmSync(own, { recursive: true });
  return report;
}

/** Kills are dealt out evenly, the first jobs get one more. */
function shareOf({ kills, jobs: names }: Arguments, index: number): number {
  return Math.floor(kills / names.length) + (index < kills % names.length ? 1 : 0);
}

function replayOf({ seed, backend, slots }: Arguments, job: JobName, kills: number): string {
  const more =
    (backend === undefined ? '' : ` --backend ${backend}`) +
    (slots === 1 ? '' : ` --slots ${slots}`);
  return `npm run chaos -- embedded --kills ${kills} --seed ${seed} --job ${job}${more}`;
}

function conclude(args: Arguments, reports: readonly JobReport[]): void {
  const report = reportOf(reports);
  console.log(`\n${renderReport(reports, report)}`);
  const share = report.afterCommit / report.kills;
  if (args.kills >= 10 && share < afterCommitShareMin) {
    console.log(`FAILED: too few kills (${report.afterCommit}) came after a commit`);
    process.exitCode = 1;
  }
  // Of several slots, most steps are taken in their threads.
  if (report.missed.length === 0 || args.slots > 1) return;
  console.log(`not killed at: ${report.missed.join(', ')}`);
  if (args.isWhole && args.kills >= commitSteps.length * killsPerStep) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
