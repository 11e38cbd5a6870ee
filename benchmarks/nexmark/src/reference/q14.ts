import type { Event, Row } from '../model.js';
import { euroByBigInt } from './euro.js';
import { bidsOf } from './windows.js';

/** Bids of a middling price, with the kind of day and the number of letters c in `extra`. */
export function q14(events: readonly Event[]): Row[] {
  return bidsOf(events)
    .filter(({ price }) => price * 908 > 1_000_000_000 && price * 908 < 50_000_000_000)
    .map((b) => [
      b.auction,
      b.bidder,
      euroByBigInt(b.price),
      kindOfDay(new Date(b.dateTime).getUTCHours()),
      b.dateTime,
      b.extra,
      [...b.extra].filter((letter) => letter === 'c').length,
    ]);
}

function kindOfDay(hour: number): string {
  if (hour >= 8 && hour <= 18) return 'dayTime';
  if (hour <= 6 || hour >= 20) return 'nightTime';
  return 'otherTime';
}
