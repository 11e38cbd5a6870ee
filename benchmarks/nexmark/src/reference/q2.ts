import type { Event, Row } from '../model.js';
import { bidsOf } from './windows.js';

/** Bids on every 123rd auction. */
export function q2(events: readonly Event[]): Row[] {
  return bidsOf(events)
    .filter((b) => b.auction % 123 === 0)
    .map((b) => [b.auction, b.price]);
}
