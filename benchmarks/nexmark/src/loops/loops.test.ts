import { describe, expect, test } from 'vitest';
import { type GeneratorOptions, generate } from '../generator/generator.js';
import { goldenSets, mismatchWithGolden } from '../golden.js';
import { batchesOf, readEvents } from '../input.js';
import { type Event, type QueryName, queryNames } from '../model.js';
import { references } from '../reference/references.js';
import { sortedTexts } from '../row-set.js';
import { drive } from './loop.js';
import { loops, typedLoops } from './loops.js';
import { CollectingSink } from './row-sink.js';

function rowsOf(query: QueryName, events: readonly Event[], batchEvents = 512): unknown[] {
  const sink = new CollectingSink();
  drive(new loops[query](sink), batchesOf(events, batchEvents));
  return sink.rows;
}

describe.each(goldenSets)('loops on the $name events', ({ events, folder }) => {
  const read = readEvents(events);

  test.each(queryNames)('%s gives the golden rows', async (query) => {
    expect(mismatchWithGolden(folder, query, rowsOf(query, await read))).toBeUndefined();
  });
});

const hourMs = 3_600_000;
const generated: (GeneratorOptions & { batchEvents: number })[] = [
  { seed: 1, events: 20_000, rate: 1_000, disorderMs: 0, batchEvents: 512 },
  { seed: 2, events: 30_000, rate: 500, disorderMs: 3_900, batchEvents: 512 },
  { seed: 3, events: 5_000, rate: 20, disorderMs: 4_000, batchEvents: 7 },
  { seed: 4, events: 4_000, rate: 4, disorderMs: 4_000, batchEvents: 1 },
  { seed: 5, events: 6_000, rate: 0.1, disorderMs: 0, batchEvents: 64 },
  { seed: 6, events: 3_000, rate: 2, disorderMs: 4_000, batchEvents: 3, startTime: 7 * hourMs },
  { seed: 7, events: 9_000, rate: 50, disorderMs: 2_000, batchEvents: 9, startTime: -9_000 },
];

describe.each(generated)('loops on $events generated events of seed $seed', (options) => {
  const events = [...generate(options)];

  test.each(queryNames)('%s gives the rows of its reference', (query) => {
    const rows = rowsOf(query, events, options.batchEvents);
    expect(sortedTexts(rows)).toEqual(sortedTexts(references[query](events)));
  });
});

describe.each(Object.entries(typedLoops))('typed loop of %s', (query, loop) => {
  test.each(generated)('gives the rows of its reference on seed $seed', (options) => {
    const events = [...generate(options)];
    const sink = new CollectingSink();
    drive(new loop(sink), batchesOf(events, options.batchEvents));
    expect(sortedTexts(sink.rows)).toEqual(sortedTexts(references[query as QueryName](events)));
  });
});
