import {
  type DescribeFormat,
  type Duration,
  describe,
  type JobDefinition,
  type JobParams,
  type LogicalGraph,
  MillraceError,
} from '@millrace/core';
import { durationMs, formatDuration, formatTimestamp, warningsOf } from '@millrace/core/internal';
import { checkSavepointName } from '../checkpoint/blob-names.js';
import { nodeEnv } from '../host/node-env.js';
import type { CheckpointOptions } from '../job/checkpoint-options.js';
import type { JobHandle } from '../job/job-handle.js';
import { generatedCode, run } from '../job/run.js';
import { type LoadedJob, loadJob } from './load-job.js';

/** Where commands write. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

export interface RunCommandOptions {
  readonly param?: Readonly<Record<string, unknown>> | undefined;
  readonly quiet?: boolean | undefined;
  readonly checkRecords?: 'on' | 'off' | undefined;
  /** Folder of checkpoints. */
  readonly checkpoints?: string | undefined;
  readonly interval?: string | undefined;
  readonly alignmentTimeout?: string | undefined;
  readonly unaligned?: 'allowed' | 'never' | undefined;
  readonly from?: string | undefined;
  readonly at?: string | undefined;
  readonly acceptReplay?: boolean | undefined;
  readonly allowStateChange?: readonly string[] | undefined;
  readonly savepointOnStop?: string | undefined;
  readonly backend?: 'heap' | 'level' | undefined;
  readonly slots?: number | undefined;
  readonly parallelism?: number | undefined;
  readonly signal: AbortSignal;
}

const progressEveryMs = durationMs('1s', 'progress');

const interruptedText = 'interrupted: the job stops; another interrupt ends the process at once';

/** `millrace run job.ts`: runs the job to its end and says how it went. */
export async function runCommand(
  file: string,
  options: RunCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const loaded = await loadUnlessInterrupted(file, options.signal);
  try {
    await runLoaded(loaded, options, terminal);
  } finally {
    loaded.close();
  }
}

/** @throws MillraceError `ERR_CANCELLED` when it was interrupted: what compiles the file was, too */
async function loadUnlessInterrupted(file: string, signal: AbortSignal): Promise<LoadedJob> {
  try {
    return await loadJob(file);
  } catch (cause) {
    // The compiler may be seen to have ended before the signal is.
    await nodeEnv().scheduler.yield();
    if (!signal.aborted) throw cause;
    const detail = `interrupted while ${file} was loaded: nothing has begun`;
    throw new MillraceError('ERR_CANCELLED', detail, { cause });
  }
}

async function runLoaded(
  { job, module }: LoadedJob,
  options: RunCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const { signal, param, checkRecords, savepointOnStop, backend, slots, parallelism } = options;
  // Ahead of the job: at the interrupt, hours later, it could not be taken.
  if (savepointOnStop !== undefined) checkSavepointName(savepointOnStop, '--savepoint-on-stop');
  const handle = run(job, {
    params: paramsOf(job, param),
    checkRecords,
    backend,
    slots,
    parallelism,
    module,
    checkpoints: checkpointsOf(options),
    ...(savepointOnStop === undefined && { signal }),
  });
  const assertTaken =
    savepointOnStop === undefined
      ? undefined
      : stopWithSavepoint(handle, savepointOnStop, signal, terminal);
  if (options.quiet !== true) {
    const say = (): void => terminal.err(interruptedText);
    if (signal.aborted) say();
    else signal.addEventListener('abort', say, { once: true });
    await sayResumed(handle, terminal);
  }
  const stop = options.quiet === true ? () => undefined : showProgress(handle, terminal);
  try {
    const { status } = await handle.done;
    stop();
    if (options.quiet !== true) terminal.err(`${status}: ${progressLine(handle)}`);
    if (options.quiet !== true && status === 'cancelled') sayWhereItGoesOn(handle, terminal);
    assertTaken?.();
  } finally {
    stop();
  }
}

function checkpointsOf(options: RunCommandOptions): CheckpointOptions | undefined {
  const { checkpoints: folder, from, at, acceptReplay, allowStateChange } = options;
  if (folder !== undefined) {
    return {
      folder,
      interval: options.interval as Duration | undefined,
      alignmentTimeout: options.alignmentTimeout as Duration | undefined,
      unaligned: options.unaligned,
      from,
      at,
      acceptReplay,
      allowStateChange,
    };
  }
  const needing = [
    'interval',
    'alignmentTimeout',
    'unaligned',
    'from',
    'at',
    'acceptReplay',
    'allowStateChange',
    'savepointOnStop',
  ] as const;
  for (const name of needing) {
    if (options[name] === undefined) continue;
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new MillraceError('ERR_INVALID_OPTION', `${flag} needs --checkpoints`, { field: flag });
  }
  return undefined;
}

/** Returns what to call when the job has ended: it throws why there is no savepoint. */
function stopWithSavepoint(
  handle: JobHandle,
  name: string,
  signal: AbortSignal,
  terminal: Terminal,
): () => void {
  let failure: { readonly cause: unknown } | undefined;
  const stop = (): void => {
    const taking = handle.resumed.then(() => handle.stopWithSavepoint(name));
    taking.then(
      () => terminal.err(`savepoint ${name} is taken`),
      async (cause: unknown) => {
        failure = { cause };
        terminal.err(`savepoint ${name} is not taken; the job is cancelled without it`);
        await handle.cancel();
      },
    );
  };
  // It may have been interrupted while it was loaded.
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return () => {
    if (failure !== undefined) throw failure.cause;
  };
}

async function sayResumed(handle: JobHandle, terminal: Terminal): Promise<void> {
  const resumed = await Promise.race([handle.resumed, handle.done.catch(() => undefined)]);
  if (resumed === undefined || !('checkpoint' in resumed)) return;
  const { checkpoint, triggeredMs, finished } = resumed;
  const taken = `checkpoint ${checkpoint} of ${formatTimestamp(triggeredMs)}`;
  terminal.err(
    finished
      ? `nothing to do: the input was read to its end, see ${taken}`
      : `resumed from ${taken}`,
  );
}

function sayWhereItGoesOn(handle: JobHandle, terminal: Terminal): void {
  const { checkpoints } = handle.progress();
  if (checkpoints === undefined) return;
  const { committed, completed } = checkpoints;
  // Where it was restored from may not have become final yet.
  const place = completed > 0 ? `checkpoint ${committed}` : 'where it was';
  terminal.err(`started again with --checkpoints, and without --from, it goes on from ${place}`);
}

/** `millrace graph job.ts`: the logical graph as text, JSON or Mermaid. */
export async function graphCommand(
  file: string,
  format: DescribeFormat,
  terminal: Terminal,
): Promise<void> {
  const { job, close } = await loadJob(file);
  close();
  showGraph(job.build().graph, format, terminal);
}

/** Warnings go where they do not mix with JSON or Mermaid that is read by a program. */
function showGraph(graph: LogicalGraph, format: DescribeFormat, terminal: Terminal): void {
  terminal.out(describe(graph, format));
  for (const { operator, message } of warningsOf(graph)) {
    terminal.err(`warning: [${operator}] ${message}`);
  }
}

/** `millrace explain --code job.ts`: the loops that would run, as text. */
export async function explainCommand(
  file: string,
  what: { readonly code?: boolean | undefined },
  terminal: Terminal,
): Promise<void> {
  const { job, close } = await loadJob(file);
  close();
  showGraph(job.build().graph, 'text', terminal);
  if (what.code !== true) return;
  for (const { operator, label, text } of generatedCode(job)) {
    terminal.out(`\n// ${operator}: ${label}\n${text.replaceAll(/\n\s*\n/g, '\n')}`);
  }
}

/** Values of `--param name=value`: JSON where they are, text otherwise. */
function paramsOf(
  job: JobDefinition,
  given: Readonly<Record<string, unknown>> = {},
): Partial<JobParams> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const wantsText = typeof job.params[name] === 'string';
      return [name, wantsText || typeof value !== 'string' ? value : jsonOr(value)];
    }),
  ) as Partial<JobParams>;
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function showProgress(handle: JobHandle, terminal: Terminal): () => void {
  const { scheduler } = nodeEnv();
  let timer = scheduler.after(progressEveryMs, again);
  function again(): void {
    terminal.err(`running: ${progressLine(handle)}`);
    timer = scheduler.after(progressEveryMs, again);
  }
  return () => timer.cancel();
}

function progressLine(handle: JobHandle): string {
  const { recordsIn, recordsOut, uptimeMs, watermarkMs } = handle.progress();
  const rate = uptimeMs > 0 ? Math.round((recordsIn / uptimeMs) * 1_000) : 0;
  const time = Number.isFinite(watermarkMs) ? `, event time ${formatTimestamp(watermarkMs)}` : '';
  const took = formatDuration(Math.round(uptimeMs / 100) * 100);
  return `${recordsIn} records in (${rate}/s), ${recordsOut} out${time}, ${took}`;
}
