import { runQuery } from '../engine/run-query.js';
import { type GoldenSet, goldenSets, mismatchWithGolden } from '../golden.js';
import { batchesOf, readEvents } from '../input.js';
import { drive } from '../loops/loop.js';
import { loops } from '../loops/loops.js';
import { CollectingSink } from '../loops/row-sink.js';
import { type Event, type QueryName, queryNames } from '../model.js';
import { references } from '../reference/references.js';

/** Events and the folder of their golden results. */
export type CheckInput = Pick<GoldenSet, 'events' | 'folder'>;

/** In how many slots and subtasks the engine runs. */
export interface CheckOptions {
  readonly slots: number;
  readonly parallelism: number | undefined;
}

/** A way to the rows of a query. */
type Way = (query: QueryName, events: readonly Event[]) => Promise<readonly unknown[]>;

const waysOf = (options: CheckOptions): Readonly<Record<string, Way>> => ({
  engine: (query, events) => runQuery(query, events, options),
  loop: async (query, events) => {
    const sink = new CollectingSink();
    drive(new loops[query](sink), batchesOf(events));
    return sink.rows;
  },
  reference: async (query, events) => references[query](events),
});

/**
 * `check`: compares the rows of engine, loops and references with golden ones, those that come
 * with the benchmark unless told otherwise; false if any differ.
 */
export async function checkCommand(
  queries: readonly QueryName[] = queryNames,
  inputs: readonly CheckInput[] = goldenSets,
  options: CheckOptions = { slots: 1, parallelism: undefined },
): Promise<boolean> {
  const ways = waysOf(options);
  let compared = 0;
  let mismatches = 0;
  for (const { events: path, folder } of inputs) {
    const events = await readEvents(path);
    console.log(`${path}: ${events.length} events`);
    for (const query of queries) {
      const verdicts = await verdictsOf(ways, query, events, folder);
      compared += verdicts.length;
      mismatches += verdicts.filter(({ agrees }) => !agrees).length;
      const agrees = verdicts.every((verdict) => verdict.agrees);
      console.log(
        `${query.padEnd(3)} ${agrees ? 'ok' : 'MISMATCH'}  ${verdicts.map(({ text }) => text).join('; ')}`,
      );
    }
  }
  console.log(
    mismatches === 0
      ? `all ${compared} results agree`
      : `${mismatches} of ${compared} results differ`,
  );
  return mismatches === 0;
}

interface Verdict {
  readonly agrees: boolean;
  readonly text: string;
}

async function verdictsOf(
  ways: Readonly<Record<string, Way>>,
  query: QueryName,
  events: readonly Event[],
  folder: string,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const [name, way] of Object.entries(ways)) {
    const rows = await way(query, events);
    const mismatch = mismatchWithGolden(folder, query, rows);
    const text = `${name} ${mismatch ?? `${rows.length} rows`}`;
    verdicts.push({ agrees: mismatch === undefined, text });
  }
  return verdicts;
}
