import type { Event, Row } from '../model.js';
import { bidsOf, groupBy, windowMs } from './windows.js';

const slideMs = 2_000;

/** Per sliding window of 10 s every 2 s: the auctions with the most bids, and how many. */
export function q5(events: readonly Event[]): Row[] {
  const inWindows = bidsOf(events).flatMap((bid) =>
    windowStartsOf(bid.dateTime).map((start) => ({ start, auction: bid.auction })),
  );
  return [...groupBy(inWindows, (entry) => entry.start).values()].flatMap((entries) => {
    const counts = [...groupBy(entries, (entry) => entry.auction)].map(
      ([auction, bids]): [number, number] => [auction, bids.length],
    );
    const most = counts.reduce((max, [, count]) => Math.max(max, count), 0);
    return counts.filter(([, count]) => count === most);
  });
}

function windowStartsOf(time: number): number[] {
  const starts = [];
  const last = Math.floor(time / slideMs) * slideMs;
  for (let start = last; start > time - windowMs; start -= slideMs) starts.push(start);
  return starts;
}
