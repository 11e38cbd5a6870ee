import type { Event, Row } from '../model.js';
import { bidsOf } from './windows.js';

/** Bids, passed through. */
export function q0(events: readonly Event[]): Row[] {
  return bidsOf(events).map((b) => [b.auction, b.bidder, b.price, b.dateTime, b.extra]);
}
