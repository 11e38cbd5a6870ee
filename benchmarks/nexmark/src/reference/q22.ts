import type { Event, Row } from '../model.js';
import { bidsOf } from './windows.js';

/** Bids with the pieces 3, 4 and 5 of their url; a piece that is not there is null. */
export function q22(events: readonly Event[]): Row[] {
  return bidsOf(events).map((b) => {
    const pieces = b.url.split('/');
    const dirs = [pieces[3] ?? null, pieces[4] ?? null, pieces[5] ?? null];
    return [b.auction, b.bidder, b.price, b.channel, ...dirs];
  });
}
