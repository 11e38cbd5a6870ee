import { describe, expect, test } from 'vitest';
import { goldenSets, mismatchWithGolden } from '../golden.js';
import { readEvents } from '../input.js';
import { queryNames } from '../model.js';
import { references } from './references.js';

describe.each(goldenSets)('references on the $name events', ({ events, folder }) => {
  const read = readEvents(events);

  test.each(queryNames)('%s gives the golden rows', async (query) => {
    expect(mismatchWithGolden(folder, query, references[query](await read))).toBeUndefined();
  });
});
