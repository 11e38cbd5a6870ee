import { describe, expect, test } from 'vitest';
import { batchesOf } from '../input.js';
import { references } from '../reference/references.js';
import { sortedTexts } from '../row-set.js';
import { bid, eventsOnSeconds } from '../testing/events-on-seconds.js';
import { drive } from './loop.js';
import { loops } from './loops.js';
import { LoopQ5 } from './q5.js';
import { LoopQ8 } from './q8.js';
import { CollectingSink } from './row-sink.js';

describe.each(['q5', 'q7', 'q8', 'q11'] as const)('%s on whole seconds', (query) => {
  test.each([1, 2, 3, 7])('gives the rows of its reference, in batches of %i', (batchEvents) => {
    for (let seed = 0; seed < 40; seed++) {
      const events = eventsOnSeconds(seed, 300);
      const sink = new CollectingSink();
      drive(new loops[query](sink), batchesOf(events, batchEvents));
      const expected = sortedTexts(references[query](events));
      expect(sortedTexts(sink.rows), `seed ${seed}`).toEqual(expected);
    }
  });
});

describe('late events', () => {
  test('count in the sliding windows that are still open', () => {
    const sink = new CollectingSink();
    const loop = new LoopQ5(sink);
    loop.watermark(10_000);
    for (const batch of batchesOf([bid(1_999), bid(2_000)])) loop.batch(batch);
    loop.end();
    expect(sink.rows).toEqual([[1, 1]]);
  });

  test('do not reopen a tumbling window', () => {
    const sink = new CollectingSink();
    const loop = new LoopQ8(sink);
    const events = eventsOnSeconds(1, 300).filter((event) => event.dateTime < 10_000);
    loop.watermark(10_000);
    for (const batch of batchesOf(events)) loop.batch(batch);
    loop.end();
    expect(sink.rows).toEqual([]);
  });
});
