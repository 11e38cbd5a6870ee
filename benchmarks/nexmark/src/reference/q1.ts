import type { Event, Row } from '../model.js';
import { euroByBigInt } from './euro.js';
import { bidsOf } from './windows.js';

/** Bids with the price in euro. */
export function q1(events: readonly Event[]): Row[] {
  return bidsOf(events).map((b) => [
    b.auction,
    b.bidder,
    euroByBigInt(b.price),
    b.dateTime,
    b.extra,
  ]);
}
