import { rm } from 'node:fs/promises';
import type { MillraceError } from '@millrace/core';
import type { JobHandle } from '@millrace/runtime';
import { UsageError } from '../arguments.js';
import { viewAlerts } from './alerts-view.js';
import { check } from './check.js';
import { HELP, type LiveArguments, type Part, readLiveArguments } from './live-arguments.js';
import { runLiveJob } from './live-job.js';
import { runLoad } from './load.js';
import { listens, startServer } from './server.js';
import { superviseAll } from './supervisor.js';

const sayEveryMs = 2_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const grouped = (count: number): string => Math.round(count).toLocaleString('en-US');

const commands: Readonly<Record<Part, (args: LiveArguments) => Promise<void>>> = {
  async all(args) {
    if (args.fresh) await makeFresh(args);
    const [, file, ...own] = process.argv;
    const options = own.filter((arg) => arg !== '--fresh' && arg !== 'all');
    await superviseAll(args, [file!, ...options], say);
  },

  async server(args) {
    const server = startServer(args);
    say(`listens at 127.0.0.1:${args.port}, process ${server.pid}`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => server.kill(signal));
    }
    await new Promise((resolve) => server.once('exit', resolve));
  },

  async load(args) {
    const job = runLoad(args);
    await show(job, 'simulated', (perSecond) => {
      const { recordsOut } = job.progress();
      return `${grouped(recordsOut)} transactions published, ${grouped(perSecond)} a second`;
    });
  },

  async job(args) {
    const job = runLiveJob(args);
    await show(job, 'payments', (perSecond) => {
      const { watermarkMs, checkpoints } = job.progress();
      const pending = job.metrics().operators.payments?.pendingRecords;
      const time = Number.isFinite(watermarkMs) ? new Date(watermarkMs).toISOString() : 'not known';
      return (
        `${grouped(perSecond)} transactions a second, ${grouped(pending ?? 0)} waiting, ` +
        `event time ${time.slice(0, 16).replace('T', ' ')}, ` +
        `checkpoint ${checkpoints?.committed ?? 'none yet'}`
      );
    });
  },

  async alerts(args) {
    const view = viewAlerts(args, say);
    say('waiting for alerts');
    await ending(view);
  },

  async check(args) {
    const { transactions, alerts, lost, doubled, wrong } = await check(args);
    say(`${grouped(transactions)} transactions decided anew, ${grouped(alerts)} alerts found`);
    say(`${lost} lost, ${doubled} doubled, ${wrong} wrong`);
    if (lost + doubled + wrong > 0) process.exitCode = 1;
  },
};

/** Says each two seconds how a job is, until it ends; its rate is that of a source. */
async function show(
  job: JobHandle,
  source: string,
  text: (perSecond: number) => string,
): Promise<void> {
  const resumed = await Promise.race([job.resumed, job.done.then(() => undefined)]);
  say(resumed === undefined ? 'begins' : `goes on from checkpoint ${resumed.checkpoint}`);
  const readSoFar = (): number => job.metrics().operators[source]?.numRecordsIn ?? 0;
  let before = readSoFar();
  const timer = setInterval(() => {
    const read = readSoFar();
    say(text(((read - before) * 1_000) / sayEveryMs));
    before = read;
  }, sayEveryMs);
  try {
    await ending(job);
  } finally {
    clearInterval(timer);
  }
}

/** Signals end the job where it stands: its checkpoint is what it goes on from. */
async function ending(job: JobHandle): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void job.cancel());
  }
  await job.done;
}

async function makeFresh({ folder, port }: LiveArguments): Promise<void> {
  if (await listens(port)) throw new UsageError(`--fresh: end what listens at port ${port} first`);
  await rm(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const args = readLiveArguments(process.argv.slice(2));
  if (args.help) process.stdout.write(HELP);
  else await commands[args.part](args);
}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError;
  const { message } = error as MillraceError;
  process.stderr.write(`${message ?? error}\n${isUsage ? '--help shows what there is\n' : ''}`);
  process.exitCode = isUsage ? 2 : 1;
});
