import { counters } from './counters.js';
import { exchangeCodec } from './exchange-codec.js';

const cases = { counters, 'exchange-codec': exchangeCodec } as const;

/** Runs the cases that are named, or all. */
async function main(names: readonly string[]): Promise<void> {
  for (const [name, run] of Object.entries(cases)) {
    if (names.length === 0 || names.includes(name)) await run();
  }
}

await main(process.argv.slice(2));
