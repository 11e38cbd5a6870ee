import { Command, InvalidArgumentError, Option } from 'commander';
import { explainCommand, graphCommand, runCommand, type Terminal } from './commands.js';
import { errorText } from './report-error.js';

const terminal: Terminal = {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
};

function collectParam(text: string, params: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('write it as name=value');
  return { ...params, [text.slice(0, at)]: text.slice(at + 1) };
}

function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // A second one ends the process at once, as people expect.
    process.once(signal, () => controller.abort());
  }
  return controller.signal;
}

const program = new Command('millrace')
  .description('Runs and explains Millrace jobs')
  .showHelpAfterError();

program
  .command('run')
  .description('run a job in this process until its input ends or it is interrupted')
  .argument('<file>', 'TypeScript or JavaScript file whose default export is a job')
  .option('-p, --param <name=value>', 'override a param of the job (repeatable)', collectParam)
  .option('-q, --quiet', 'no progress on standard error')
  .addOption(new Option('--check-records <mode>', 'check first records').choices(['on', 'off']))
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

process.setSourceMapsEnabled(true);
try {
  await program.parseAsync();
} catch (error) {
  terminal.err(errorText(error));
  process.exitCode = 1;
}
