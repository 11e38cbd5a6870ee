#!/usr/bin/env node
import { type Command, parseCommand, UsageError, usage } from './cli-options.js';
import { benchCommand } from './commands/bench.js';
import { checkCommand } from './commands/check.js';
import { generateCommand } from './commands/generate.js';
import { memoryCommand } from './commands/memory.js';
import { runCommand } from './commands/run.js';

async function run(command: Command): Promise<void> {
  switch (command.name) {
    case 'help':
      console.log(usage);
      return;
    case 'generate':
      return generateCommand(command.options, command.output);
    case 'run':
      return runCommand(command.options);
    case 'check':
      if (!(await checkCommand(command.queries, command.inputs, command.options)))
        process.exitCode = 1;
      return;
    case 'bench':
      return benchCommand(command.queries, command.input, command.options);
    case 'memory':
      return memoryCommand(command.keys);
  }
}

try {
  await run(parseCommand(process.argv.slice(2)));
} catch (error) {
  console.error(`nexmark: ${error instanceof Error ? error.message : error}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
