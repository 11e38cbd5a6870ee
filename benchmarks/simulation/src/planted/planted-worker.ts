import { register } from 'node:module';
import type { SeedResult } from '@millrace/testing';
import { plantedBugs } from './all-bugs.js';
import type { Found, Search } from './planted-search.js';

// Whoever asked is gone.
process.once('disconnect', () => process.exit());

/** Looks for one bug, which is in this process alone. */
process.once('message', (search: Search) => {
  look(search).then(
    (found) => process.send!(found, () => process.disconnect()),
    (error: unknown) => {
      process.send!({ kind: 'broken', error: String(error) } satisfies Found, () =>
        process.disconnect(),
      );
    },
  );
});

async function look({ bug: name, oracles, from, seedsMax }: Search): Promise<Found> {
  const bug = plantedBugs.find((each) => each.name === name);
  if (bug === undefined) throw new RangeError(`there is no bug ${name}`);
  register('./edit-hook.js', import.meta.url, { data: bug.edits });
  // Only now: what is imported ahead of the hook would be as it was built.
  const { simulateSeeds } = await import('@millrace/testing');
  let last: SeedResult | undefined;
  const { seeds } = await simulateSeeds({
    from,
    count: seedsMax,
    around: bug.around,
    oracles,
    onSeed: (result) => {
      last = result;
      return result.violation === undefined ? 'go on' : 'stop';
    },
  });
  const violation = last?.violation;
  if (violation === undefined) return { kind: 'not found', seeds };
  return { kind: 'found', seeds, seed: last!.seed, ...violation };
}
