import type { Bid, Event, Row } from '../model.js';
import { bidsOf, groupBy, windowMs } from './windows.js';

/**
 * Bids of each bidder per session; a session ends 10 s after its last bid, and a bid at that very
 * instant continues it.
 */
export function q11(events: readonly Event[]): Row[] {
  return [...groupBy(bidsOf(events), (bid) => bid.bidder)].flatMap(([bidder, bids]) =>
    sessionsOf(bids.map((bid: Bid) => bid.dateTime)).map((times): Row => {
      const end = times[times.length - 1]! + windowMs;
      return [bidder, times.length, times[0]!, end];
    }),
  );
}

function sessionsOf(times: readonly number[]): number[][] {
  const sessions: number[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const time of times.toSorted((a, b) => a - b)) {
    if (time - last > windowMs) sessions.push([]);
    sessions[sessions.length - 1]!.push(time);
    last = time;
  }
  return sessions;
}
