import { describe, expect, test } from 'vitest';
import { runQuery } from '../engine/run-query.js';
import { generate } from '../generator/generator.js';
import { goldenSets, mismatchWithGolden } from '../golden.js';
import { readEvents } from '../input.js';
import { queryNames } from '../model.js';
import { references } from '../reference/references.js';
import { differenceOf, sortedTexts } from '../row-set.js';

describe.each(goldenSets)('queries on the $name events', ({ events, folder }) => {
  const read = readEvents(events);

  test.each(queryNames)('%s gives the golden rows', async (query) => {
    const rows = await runQuery(query, await read);
    expect(mismatchWithGolden(folder, query, rows)).toBeUndefined();
  });
});

const seeds = Array.from({ length: 20 }, (_, n) => 101 + n);

describe.each(seeds)('queries on 70 s of disordered events of seed %i', (seed) => {
  const events = [...generate({ seed, events: 42_000, rate: 600, disorderMs: 3_000 })];

  test.each(queryNames)('%s gives the rows of its reference', async (query) => {
    const rows = await runQuery(query, events);
    const expected = references[query](events);
    // Sorting is slow, and rows of one event each come in its order.
    if (JSON.stringify(rows) === JSON.stringify(expected)) return;
    const difference = differenceOf(sortedTexts(rows), sortedTexts(expected));
    expect(difference).toEqual({ missing: [], unexpected: [] });
  });
});
