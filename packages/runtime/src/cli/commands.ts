import { type DescribeFormat, describe, type JobDefinition, type JobParams } from '@millrace/core';
import { durationMs, formatDuration, formatTimestamp } from '@millrace/core/internal';
import { nodeEnv } from '../host/node-env.js';
import type { JobHandle } from '../job/job-handle.js';
import { generatedCode, run } from '../job/run.js';
import { loadJob } from './load-job.js';

/** Where commands write. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

export interface RunCommandOptions {
  readonly param?: Readonly<Record<string, unknown>> | undefined;
  readonly quiet?: boolean | undefined;
  readonly checkRecords?: 'on' | 'off' | undefined;
  readonly signal: AbortSignal;
}

const progressEveryMs = durationMs('1s', 'progress');

/** `millrace run job.ts`: runs the job to its end and says how it went. */
export async function runCommand(
  file: string,
  options: RunCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const job = await loadJob(file);
  const { signal, param, checkRecords } = options;
  const handle = run(job, { params: paramsOf(job, param), signal, checkRecords });
  const stop = options.quiet === true ? () => undefined : showProgress(handle, terminal);
  try {
    const { status } = await handle.done;
    stop();
    if (options.quiet !== true) terminal.err(`${status}: ${progressLine(handle)}`);
  } finally {
    stop();
  }
}

/** `millrace graph job.ts`: the logical graph as text, JSON or Mermaid. */
export async function graphCommand(
  file: string,
  format: DescribeFormat,
  terminal: Terminal,
): Promise<void> {
  const job = await loadJob(file);
  terminal.out(describe(job.build().graph, format));
}

/** `millrace explain --code job.ts`: the loops that would run, as text. */
export async function explainCommand(
  file: string,
  what: { readonly code?: boolean | undefined },
  terminal: Terminal,
): Promise<void> {
  const job = await loadJob(file);
  terminal.out(describe(job.build().graph));
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
