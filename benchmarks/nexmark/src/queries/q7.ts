import type { Stream } from '@millrace/core';
import {
  aggregate,
  collect,
  customWindows,
  filter,
  flatMap,
  keyBy,
  map,
  maxBy,
  tumbling,
  union,
  window,
} from '@millrace/operators';
import type { Bid, Event, Row } from '../model.js';
import { isBid } from './bids.js';

const windowMs = 10_000;

/** What may become rows of a window: its highest bids, and each bid on its end. */
interface Candidates {
  readonly highest: readonly Bid[];
  readonly onEnd: Bid | undefined;
}

/** Windows of 10 s with both ends inside: an instant on the border is in two. */
const closedWindows = customWindows('closed-10s', (t) => {
  const start = Math.floor(t / windowMs) * windowMs;
  const current = { start, end: start + windowMs + 1 };
  return t === start ? [{ start: start - windowMs, end: start + 1 }, current] : [current];
});

/**
 * The bids with the highest price per tumbling window of 10 s. A bid on the window's end is a row,
 * too, if it has that price: so the highest bids of each window, which carry the time of its last
 * millisecond, meet the few bids on the border in windows that hold their end.
 */
export const q7 = (events: Stream<Event>): Stream<Row> => {
  const onBorder = events.pipe(
    filter(isBid),
    filter((b) => b.dateTime % windowMs === 0),
    map((onEnd): Candidates => ({ highest: [], onEnd })),
  );
  return events.pipe(
    filter(isBid),
    keyBy(() => 0),
    window('highest', tumbling('10s')),
    aggregate({ bids: maxBy((b) => b.price, { ties: 'all' }) }),
    map(({ bids }): Candidates => ({ highest: bids, onEnd: undefined })),
    union(onBorder),
    keyBy(() => 0),
    window('with-end', closedWindows),
    aggregate({ candidates: collect() }),
    flatMap(({ candidates, window: { end } }) => rowsOf(candidates, end - 1)),
  );
};

function rowsOf(candidates: readonly Candidates[], end: number): Row[] {
  const highest = candidates.flatMap((c) => c.highest);
  const price = highest[0]?.price;
  // Bids on the window's start are here as well, but they were inside already.
  const onEnd = candidates.flatMap(({ onEnd: bid }) =>
    bid !== undefined && bid.dateTime === end && bid.price === price ? [bid] : [],
  );
  return [...highest, ...onEnd].map((b) => [b.auction, b.price, b.bidder, b.dateTime, b.extra]);
}
