import { describe, expect, test } from 'vitest';
import { Random } from '../generator/random.js';
import { batchesOf } from '../input.js';
import type { Bid, Event } from '../model.js';
import { references } from '../reference/references.js';
import { sortedTexts } from '../row-set.js';
import { drive, outOfOrdernessMs } from './loop.js';
import { loops } from './loops.js';
import { LoopQ5 } from './q5.js';
import { LoopQ8 } from './q8.js';
import { CollectingSink } from './row-sink.js';

function bid(dateTime: number, auction = 1, bidder = 1, price = 1): Bid {
  return { kind: 'bid', auction, bidder, price, channel: '', url: '', dateTime, extra: '' };
}

/**
 * Events on whole seconds with few keys and prices: bids on the very end of windows and sessions,
 * ties, long silences, and lateness of exactly the bound all happen often.
 */
function eventsOnSeconds(seed: number, count: number): Event[] {
  const random = new Random(seed);
  const text = { emailAddress: '', creditCard: '', city: '', state: '', extra: '' };
  let latest = 0;
  return Array.from({ length: count }, (_, n): Event => {
    latest += random.pick([0, 0, 0, 1, 1, 2, 3, 9, 10, 40]) * 1_000;
    const dateTime = latest - random.nextInt(outOfOrdernessMs / 1_000 + 1) * 1_000;
    const kind = random.nextInt(8);
    if (kind === 0) return { kind: 'person', id: n, name: `person ${n}`, dateTime, ...text };
    if (kind > 1) {
      return bid(dateTime, random.nextInt(3), random.nextInt(3), 1 + random.nextInt(3));
    }
    const seller = n - random.nextInt(6);
    const item = { itemName: '', description: '', initialBid: 1, reserve: 1 };
    const rest = { expires: dateTime, seller, category: 10, extra: '' };
    return { kind: 'auction', id: n, ...item, dateTime, ...rest };
  });
}

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
