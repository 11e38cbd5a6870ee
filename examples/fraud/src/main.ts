import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { MillraceError } from '@millrace/core';
import { type JobHandle, run } from '@millrace/runtime';
import { type Arguments, HELP, readArguments, UsageError } from './arguments.js';
import { truthColumnsOf } from './csv-header.js';
import { fraudJob } from './job.js';
import { showLive } from './live-view.js';
import { renderResumption } from './resumption.js';
import { followTally } from './slot-tally.js';
import { prepareStateFolder, type Subject } from './state-folder.js';
import { renderSummary } from './summary-text.js';
import { Tally, tallySink } from './tally.js';

/** Exit codes, as shells know them. */
const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(HELP);
    return;
  }
  const { input, seed, cards, terminals, days, disorderMs, skipBad, alerts, checkpoints } = args;
  const { checkpointInterval: interval, slots } = args;
  const truth = input === undefined ? [] : await truthColumnsOf(input);
  const simulated = { seed, cards, terminals, days };
  const params = { input: input ?? '', truth, ...simulated, disorderMs, skipBad, alerts };
  await prepareFolder(alerts);
  const say = sayOf(args);
  await prepareState(args, { ...params, ...(await fileOf(input)) }, say);
  const startedMs = performance.now();
  const workedMs = (): number => performance.now() - startedMs;
  const tally = new Tally();
  const slotTally = { channel: `fraud-${process.pid}`, startedMs: Date.now() };
  const followed = slots > 1 ? followTally(tally, slotTally) : undefined;
  const job = run(fraudJob(tallySink(tally, workedMs)), {
    params,
    slots,
    module: new URL('./slot-tally.js', import.meta.url),
    moduleArgument: slotTally,
    checkpoints: checkpoints === undefined ? undefined : { folder: checkpoints, interval },
  });
  cancelOnInterrupt(job);
  const resumed = await Promise.race([job.resumed, job.done.then(() => undefined)]);
  if (resumed !== undefined) say(renderResumption(resumed));
  const isFinished = resumed?.finished === true;
  const progress = args.summary === 'json' ? process.stderr : process.stdout;
  // Until its sinks are open, a run that goes on does not know what it has counted.
  if (resumed !== undefined) await Promise.race([job.opened, job.done.catch(() => undefined)]);
  const stopView = args.quiet || isFinished ? () => {} : showLive(tally, progress, startedMs);
  try {
    const { status } = await job.done;
    if (status === 'cancelled') interrupted(args, say);
  } finally {
    stopView();
    await followed?.stop();
    const isKnown = resumed === undefined || tally.isRestored;
    if (isKnown) report(args, tally, job, isFinished ? 0 : workedMs());
  }
}

/** Tells people, unless they want the summary only. */
function sayOf({ quiet, summary }: Arguments): (text: string) => void {
  if (quiet) return () => {};
  const output = summary === 'json' ? process.stderr : process.stdout;
  return (text) => void output.write(text);
}

async function prepareState(
  { checkpoints, fresh, alerts }: Arguments,
  subject: Subject,
  say: (text: string) => void,
): Promise<void> {
  if (checkpoints === undefined) {
    await rm(alerts, { force: true });
    return;
  }
  const mode = fresh ? 'fresh' : 'go on';
  const absolute = { ...subject, alerts: resolve(alerts) };
  const beginning = await prepareStateFolder(checkpoints, absolute, { output: alerts, mode });
  if (beginning !== 'other subject') return;
  say('the last run was about other transactions or had other options: this one begins anew\n');
}

/** What tells a file from another one of the same name. */
async function fileOf(input: string | undefined): Promise<Subject> {
  if (input === undefined) return {};
  const { size, mtimeMs } = await stat(input);
  return { input: resolve(input), size, mtimeMs };
}

function interrupted({ checkpoints }: Arguments, say: (text: string) => void): void {
  process.exitCode = EXIT.interrupted;
  if (checkpoints !== undefined) say('\ninterrupted; the same command goes on from here\n');
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

/** What was read or written is not what the checkpoint remembers. */
const CHANGED: readonly string[] = ['ERR_SOURCE_CHANGED', 'ERR_SINK_CHANGED'];

function fail(error: unknown): void {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n--help shows what there is\n`);
    process.exitCode = EXIT.usage;
    return;
  }
  const { code, message } = error as MillraceError;
  process.stderr.write(`${String(message ?? error)}\n`);
  if (CHANGED.includes(code)) process.stderr.write('--fresh begins anew\n');
  process.exitCode = EXIT.failed;
}

// Whoever reads the output may have seen enough, such as `head`.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
});

main().catch(fail);
