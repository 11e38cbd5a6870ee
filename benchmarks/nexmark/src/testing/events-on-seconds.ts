import { Random } from '../generator/random.js';
import { outOfOrdernessMs } from '../loops/loop.js';
import type { Bid, Event } from '../model.js';

/** A bid of which only the time, and perhaps the keys, matter. */
export function bid(dateTime: number, auction = 1, bidder = 1, price = 1): Bid {
  return { kind: 'bid', auction, bidder, price, channel: '', url: '', dateTime, extra: '' };
}

/**
 * Events on whole seconds with few keys and prices: bids on the very end of windows and sessions,
 * ties, long silences, and lateness of exactly the bound all happen often.
 */
export function eventsOnSeconds(seed: number, count: number): Event[] {
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
