import { describe, expect, test } from 'vitest';
import { runQuery } from '../engine/run-query.js';
import { references } from '../reference/references.js';
import { sortedTexts } from '../row-set.js';
import { eventsOnSeconds } from '../testing/events-on-seconds.js';

describe.each(['q5', 'q7', 'q8', 'q11'] as const)('%s on whole seconds', (query) => {
  const options = [
    { batchEvents: 1 },
    { batchEvents: 3 },
    { batchEvents: 512 },
    { batchEvents: 7, codegen: 'off' },
  ] as const;

  test.each(options)('gives the rows of its reference, with %j', async (option) => {
    for (let seed = 0; seed < 40; seed++) {
      const events = eventsOnSeconds(seed, 300);
      const rows = await runQuery(query, events, option);
      const expected = sortedTexts(references[query](events));
      expect(sortedTexts(rows), `seed ${seed}`).toEqual(expected);
    }
  });
});
