import { plantedBugs } from './all-bugs.js';
import type { PlantedBug } from './planted-bug.js';
import { type Found, searchFor } from './planted-search.js';

export interface PlantedOptions {
  /** Tried for a bug before it counts as not found. */
  readonly seeds: number;
  /** Processes at a time. */
  readonly workers: number;
  /** Only bugs whose name has this in it. */
  readonly only: string | undefined;
}

/** Of the seeds in which only output is compared, which is a matter of statistics. */
const outputSeedsMax = 200;

interface Row {
  readonly bug: PlantedBug;
  readonly byAll: Found;
  readonly byOutput: Found;
}

/**
 * Looks for each planted bug twice, with all oracles and by output alone, and prints a table.
 *
 * @returns whether all were found
 */
export async function runPlanted({ seeds, workers, only = '' }: PlantedOptions): Promise<boolean> {
  const bugs = plantedBugs.filter(({ name }) => name.includes(only));
  const rows: Row[] = [];
  const begunMs = performance.now();
  const waiting = [...bugs];
  const work = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const row = await rowOf(bug, seeds);
      rows.push(row);
      console.log(textOf(row));
    }
  };
  console.log(['planted bug', 'all oracles', 'output alone'].join(' | '));
  await Promise.all(Array.from({ length: workers }, work));
  const found = rows.filter(({ byAll }) => byAll.kind === 'found').length;
  const byOutput = rows.filter((row) => row.byOutput.kind === 'found').length;
  const minutes = ((performance.now() - begunMs) / 60_000).toFixed(1);
  console.log(
    `${rows.length} bugs, ${found} found, ${byOutput} by output alone, in ${minutes} minutes`,
  );
  return found === rows.length;
}

/** Seeds in which no oracle sees anything are the same with fewer oracles, and not run again. */
async function rowOf(bug: PlantedBug, seedsMax: number): Promise<Row> {
  const byAll = await searchFor({ bug: bug.name, oracles: 'all', from: 1, seedsMax });
  if (byAll.kind !== 'found' || isOutput(byAll)) return { bug, byAll, byOutput: byAll };
  const { seed: from } = byAll;
  const outputSeeds = Math.min(seedsMax, outputSeedsMax);
  const search = { bug: bug.name, oracles: 'output', from, seedsMax: outputSeeds } as const;
  const found = await searchFor(search);
  const byOutput = found.kind === 'broken' ? found : { ...found, seeds: found.seeds + from - 1 };
  return { bug, byAll, byOutput };
}

const isOutput = ({ oracle }: { readonly oracle: string }): boolean =>
  oracle === 'output' || oracle === 'conservation';

function textOf({ bug, byAll, byOutput }: Row): string {
  return [bug.name, describe(byAll), describe(byOutput)].join(' | ');
}

function describe(found: Found): string {
  if (found.kind === 'broken') return `BROKEN: ${found.error}`;
  if (found.kind === 'not found') return `NOT FOUND in ${found.seeds} seeds`;
  return `${found.seeds} ${found.seeds === 1 ? 'seed' : 'seeds'}, ${found.oracle}`;
}
