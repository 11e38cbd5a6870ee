import { expect, test } from 'vitest';
import { type Found, searchFor } from '../benchmarks/simulation/dist/planted/planted-search.js';

/** Some of those of `npm run sim -- --planted`, which are found at once. */
const quick: readonly string[] = [
  'checkpoint committed although a task is missing',
  'channels are read on behind their barriers',
  'timers not restored',
  "order of a chain's segments reversed",
];

test.each(quick)('%s: is seen in what jobs give out', async (bug) => {
  const found: Found = await searchFor({ bug, oracles: 'output', from: 1, seedsMax: 60 });
  expect(found.kind).toBe('found');
});

test('a bug that is not there is not found', async () => {
  expect(await searchFor({ bug: 'none', oracles: 'all', from: 1, seedsMax: 1 })).toMatchObject({
    kind: 'broken',
  });
});
