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

describe.each([
  [2, undefined],
  [4, undefined],
  [2, 3],
])('queries in %i slots with parallelism %s', (slots, parallelism) => {
  const { events, folder } = goldenSets.at(-1)!;
  const read = readEvents(events);

  test.each(queryNames)('%s gives the golden rows', async (query) => {
    const rows = await runQuery(query, await read, { slots, parallelism });
    expect(mismatchWithGolden(folder, query, rows)).toBeUndefined();
  });
});

test('subtasks of each operator in numbers of their own give the golden rows', async () => {
  const { events, folder } = goldenSets.at(-1)!;
  const parallelism = { events: 3, 'bids-per-auction': 4, 'most-bids': 2, rows: 2 };
  const rows = await runQuery('q5', await readEvents(events), { slots: 3, parallelism });
  expect(mismatchWithGolden(folder, 'q5', rows)).toBeUndefined();
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
