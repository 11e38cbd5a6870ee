import { counters } from './counters.js';
import { exchangeCodec } from './exchange-codec.js';

const cases = { counters, 'exchange-codec': exchangeCodec } as const;

const HELP = `Usage: bench:micro [case …]

  counters         rows by integer key against a Map, as state grows
  exchange-codec   codecs of the batches that go from slot to slot

All unless named.
`;

/** Runs the cases that are named, or all. */
async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return;
  }
  const unknown = args.find((name) => !Object.hasOwn(cases, name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no case ${unknown}\n\n${HELP}`);
    process.exitCode = 2;
    return;
  }
  for (const [name, run] of Object.entries(cases)) {
    if (args.length === 0 || args.includes(name)) await run();
  }
}

await main(process.argv.slice(2));
