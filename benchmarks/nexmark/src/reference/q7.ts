import type { Event, Row } from '../model.js';
import { bidsOf, groupBy, windowMs, windowStart } from './windows.js';

/**
 * Per tumbling window of 10 s: the bids with the window's highest price. The window's end is
 * outside when the highest price is sought, and inside when its bids are.
 */
export function q7(events: readonly Event[]): Row[] {
  const bids = bidsOf(events);
  const windows = groupBy(bids, (bid) => windowStart(bid.dateTime));
  return [...windows].flatMap(([start, inside]) => {
    const highest = inside.reduce((max, bid) => Math.max(max, bid.price), 0);
    const onEnd = bids.filter((bid) => bid.dateTime === start + windowMs);
    return [...inside, ...onEnd]
      .filter((bid) => bid.price === highest)
      .map((b) => [b.auction, b.price, b.bidder, b.dateTime, b.extra]);
  });
}
