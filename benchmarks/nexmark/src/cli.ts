#!/usr/bin/env node
import { type Command, parseCommand, usage } from './cli-options.js';
import { benchCommand } from './commands/bench.js';
import { checkCommand } from './commands/check.js';
import { generateCommand } from './commands/generate.js';

async function run(command: Command): Promise<void> {
  switch (command.name) {
    case 'help':
      console.log(usage);
      return;
    case 'generate':
      return generateCommand(command.options, command.output);
    case 'check':
      if (!(await checkCommand(command.queries))) process.exitCode = 1;
      return;
    case 'bench':
      return benchCommand(command.queries, command.input, command.options);
  }
}

try {
  await run(parseCommand(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
