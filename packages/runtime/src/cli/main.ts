import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { MillraceError } from '@millrace/core';
import { Command, InvalidArgumentError, Option } from 'commander';
import { nodeEnv } from '../host/node-env.js';
import { listCheckpoints, showCheckpoint, verifyCheckpoints } from './checkpoints-command.js';
import { explainCommand, graphCommand, runCommand, type Terminal } from './commands.js';
import { errorText } from './report-error.js';
import { diffState, exportState, getState, listState, scanState } from './state-command.js';

const terminal: Terminal = {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
};

/** 128 + SIGPIPE: how a shell shows a program that is ended by its reader, such as `head`. */
const exitCodeWithoutReader = 141;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(exitCodeWithoutReader);
  });
}

function collectParam(text: string, params: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('write it as name=value');
  return { ...params, [text.slice(0, at)]: text.slice(at + 1) };
}

const collect = (text: string, all: readonly string[] = []): readonly string[] => [...all, text];

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('it must be a whole number of at least 1');
}

/** 128 + SIGINT: how a shell shows a program that was interrupted. */
const exitCodeInterrupted = 130;

/** A launcher hands on what the terminal has sent to all: within this time they count as one. */
const sameInterruptMs = 500;

/** The first signal lets the job stop; a later one ends the process at once, as people expect. */
function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  const { clock } = nodeEnv();
  let firstMs: number | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    const nowMs = clock.monotonicMs();
    firstMs ??= nowMs;
    if (nowMs - firstMs > sameInterruptMs) process.exit(128 + constants.signals[signal]);
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  return controller.signal;
}

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly version: string };

const program = new Command('millrace')
  .description('Runs and explains Millrace jobs')
  .version(version)
  // The whole help would push the error off the screen.
  .showHelpAfterError('--help shows what there is');

program
  .command('run')
  .description('run a job in this process until its input ends or it is interrupted')
  .argument('<file>', 'TypeScript or JavaScript file whose default export is a job')
  .option('-p, --param <name=value>', 'override a param of the job (repeatable)', collectParam)
  .option('-q, --quiet', 'no progress on standard error')
  .addOption(new Option('--check-records <mode>', 'check first records').choices(['on', 'off']))
  .option('--checkpoints <dir>', 'keep checkpoints in this folder, and go on from the newest')
  .option('--interval <duration>', 'time between checkpoints (default 1s)')
  .option('--alignment-timeout <duration>', 'then barriers overtake records (default 10s)')
  .addOption(new Option('--unaligned <mode>', 'whether they may').choices(['allowed', 'never']))
  .option('--from <dir>', "begin with a savepoint's folder, or another checkpoint folder")
  .option('--at <name>', 'with --from: checkpoint id or savepoint name (default: the newest)')
  .option('--accept-replay', 'with --from: output since then may be published again')
  .option(
    '--allow-state-change <operator>',
    'its state, positions or output may be dropped',
    collect,
  )
  .option('--savepoint-on-stop <name>', 'take a savepoint when interrupted')
  .addOption(new Option('--backend <kind>', 'where state is kept').choices(['heap', 'level']))
  .option('--slots <number>', 'threads that run side by side (default 1)', wholeNumber)
  .option('--parallelism <number>', 'subtasks of each operator (default: the slots)', wholeNumber)
  .action((file, options) => runCommand(file, { ...options, signal: cancelOnSignals() }, terminal));

program
  .command('graph')
  .description('print the logical graph of a job')
  .argument('<file>', 'job file')
  .addOption(
    new Option('-f, --format <format>', 'how').choices(['text', 'json', 'mermaid']).default('text'),
  )
  .action((file, { format }) => graphCommand(file, format, terminal));

program
  .command('explain')
  .description('print how a job would run')
  .argument('<file>', 'job file')
  .option('--code', 'with the generated code')
  .action((file, options) => explainCommand(file, options, terminal));

const checkpoints = program
  .command('checkpoints')
  .description('look at the checkpoints and savepoints in a folder');

checkpoints
  .command('list')
  .description('list what can be restored from')
  .argument('<dir>', 'checkpoint folder')
  .action((dir) => listCheckpoints(dir, terminal));

checkpoints
  .command('verify')
  .description('read everything and check it; fails naming what is damaged')
  .argument('<dir>', 'checkpoint folder')
  .argument('[name]', 'checkpoint id or savepoint name (default: all)')
  .action((dir, name) => verifyCheckpoints(dir, name, terminal));

checkpoints
  .command('show')
  .description('print all that a checkpoint says')
  .argument('<dir>', 'checkpoint folder')
  .argument('[name]', 'checkpoint id or savepoint name (default: the newest)')
  .action((dir, name) => showCheckpoint(dir, name, terminal));

const state = program.command('state').description('look into the state of a checkpoint');
const at = ['--at <name>', 'checkpoint id or savepoint name (default: the newest)'] as const;
const limit = (): Option =>
  new Option('--limit <rows>', 'rows to print at most').default(100).argParser(wholeNumber);

state
  .command('ls')
  .description('list operators and their states')
  .argument('<dir>', 'checkpoint folder')
  .option(...at)
  .action((dir, options) => listState(dir, options, terminal));

state
  .command('get')
  .description('print all state of a key')
  .argument('<dir>', 'checkpoint folder')
  .argument('<operator>', 'id of the operator')
  .argument('<key>', 'the key as JSON or text')
  .option(...at)
  .option('--state <name>', 'of this state only')
  .action((dir, operator, key, options) => getState(dir, [operator, key], options, terminal));

state
  .command('scan')
  .description('print rows of state in order')
  .argument('<dir>', 'checkpoint folder')
  .argument('[operator]', 'id of an operator (default: all)')
  .argument('[state]', 'name of a state (default: all)')
  .option(...at)
  .addOption(limit())
  .action((dir, operator, name, options) =>
    scanState(dir, { ...options, operator, state: name }, terminal),
  );

state
  .command('diff')
  .description('print rows that differ between two checkpoints')
  .argument('<dir>', 'checkpoint folder')
  .argument('<from>', 'checkpoint id or savepoint name')
  .argument('<to>', 'checkpoint id or savepoint name')
  .option('--operator <id>', 'of this operator only')
  .option('--state <name>', 'of this state only')
  .addOption(limit())
  .action((dir, from, to, options) => diffState(dir, [from, to], options, terminal));

state
  .command('export')
  .description('write rows as NDJSON')
  .argument('<dir>', 'checkpoint folder')
  .option(...at)
  .option('--operator <id>', 'of this operator only')
  .option('--state <name>', 'of this state only')
  .option('-o, --output <file>', 'file to write (default: standard output)')
  .action((dir, options) => exportState(dir, options, terminal));

process.setSourceMapsEnabled(true);
try {
  await program.parseAsync();
} catch (error) {
  terminal.err(errorText(error));
  const isCancelled = error instanceof MillraceError && error.code === 'ERR_CANCELLED';
  process.exitCode = isCancelled ? exitCodeInterrupted : 1;
}
