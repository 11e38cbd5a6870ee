import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { MillraceError } from '@millrace/core';
import { type JobHandle, run } from '@millrace/runtime';
import { type Arguments, HELP, readArguments, UsageError } from './arguments.js';
import { truthColumnsOf } from './csv-header.js';
import { fraudJob } from './job.js';
import { showLive, Tally } from './live-view.js';
import { renderSummary } from './summary-text.js';

/** Exit codes, as shells know them. */
const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(HELP);
    return;
  }
  const truth = args.input === undefined ? [] : await truthColumnsOf(args.input);
  await prepareFolder(args.alerts);
  const startedMs = performance.now();
  const tally = new Tally();
  const { input, seed, cards, terminals, days, disorderMs, skipBad, alerts } = args;
  const params = { truth, seed, cards, terminals, days, disorderMs, skipBad, alerts };
  const job = run(fraudJob(tally.add), { params: { ...params, input: input ?? '' } });
  const progress = args.summary === 'json' ? process.stderr : process.stdout;
  const stopView = args.quiet ? () => {} : showLive(tally, progress, startedMs);
  cancelOnInterrupt(job);
  try {
    const { status } = await job.done;
    if (status === 'cancelled') process.exitCode = EXIT.interrupted;
  } finally {
    stopView();
    report(args, tally, job, performance.now() - startedMs);
  }
}

/** Ctrl-C ends the job and shows what it has found; another one later ends the process. */
function cancelOnInterrupt(job: JobHandle): void {
  let firstMs: number | undefined;
  const interrupt = (): void => {
    const nowMs = performance.now();
    firstMs ??= nowMs;
    if (nowMs - firstMs > SAME_INTERRUPT_MS) process.exit(EXIT.interrupted);
    void job.cancel();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
}

/** A launcher hands on the signal that the terminal has sent to all: they count as one. */
const SAME_INTERRUPT_MS = 500;

function report(args: Arguments, tally: Tally, job: JobHandle, wallMs: number): void {
  const summary = tally.summary(wallMs);
  const skipped = job.metrics().operators.payments?.numRecordsSkipped ?? 0;
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1_024);
  const left = skipped === 1 ? '1 bad line was left out\n' : `${skipped} bad lines were left out\n`;
  const notes =
    `${skipped > 0 ? left : ''}` +
    `alerts are in ${args.alerts}, ${megabytes} MB of memory at most\n`;
  if (args.summary === 'text') process.stdout.write(`\n${renderSummary(summary)}${notes}`);
  else {
    if (!args.quiet || skipped > 0) process.stderr.write(notes);
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  }
}

async function prepareFolder(path: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
  } catch (error) {
    throw new UsageError(`cannot make the folder of ${path}: ${String(error)}; see --alerts`);
  }
}

function fail(error: unknown): void {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n--help shows what there is\n`);
    process.exitCode = EXIT.usage;
    return;
  }
  process.stderr.write(`${String((error as MillraceError).message ?? error)}\n`);
  process.exitCode = EXIT.failed;
}

// Whoever reads the output may have seen enough, such as `head`.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
});

main().catch(fail);
