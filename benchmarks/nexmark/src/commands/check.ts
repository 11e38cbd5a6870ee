import { goldenSets, mismatchWithGolden } from '../golden.js';
import { batchesOf, readEvents } from '../input.js';
import { drive } from '../loops/loop.js';
import { loops } from '../loops/loops.js';
import { CollectingSink } from '../loops/row-sink.js';
import type { Event, QueryName } from '../model.js';
import { references } from '../reference/references.js';

/**
 * `check`: compares the rows of references and loops with the golden ones; false if any differ.
 */
export async function checkCommand(queries: readonly QueryName[]): Promise<boolean> {
  let agree = true;
  for (const { name, events: path, folder } of goldenSets) {
    const events = await readEvents(path);
    for (const query of queries) {
      for (const [way, rows] of waysOf(query, events)) {
        const mismatch = mismatchWithGolden(folder, query, rows);
        if (mismatch !== undefined) agree = false;
        const verdict = mismatch === undefined ? `agrees, ${rows.length} rows` : mismatch;
        console.log(`${name} ${query} ${way}: ${verdict}`);
      }
    }
  }
  return agree;
}

function waysOf(query: QueryName, events: readonly Event[]): [string, readonly unknown[]][] {
  const sink = new CollectingSink();
  drive(new loops[query](sink), batchesOf(events));
  return [
    ['reference', references[query](events)],
    ['loop', sink.rows],
  ];
}
