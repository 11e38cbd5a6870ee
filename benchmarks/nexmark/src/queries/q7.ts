import type { Stream } from '@millrace/core';
import {
  aggregate,
  aggregator,
  filter,
  flatMap,
  keyBy,
  sliding,
  window,
} from '@millrace/operators';
import type { Bid, Event, Row } from '../model.js';
import { isBid } from './bids.js';

const windowMs = 10_000;

/** The bids of a window that may be rows, going by those that have come so far. */
interface Candidates {
  /** The highest price between the window's borders. */
  readonly price: number;
  /** The bids between the borders that have it. */
  readonly bids: readonly Bid[];
  /** Bids right on a border, as high as this or higher. */
  readonly onBorder: readonly Bid[];
}

const candidates = aggregator<Bid, Candidates, Candidates>({
  create: () => ({ price: 0, bids: [], onBorder: [] }),
  // Nearly all bids are below the highest one.
  add: (found, bid) => (bid.price < found.price ? found : withBid(found, bid)),
  result: (found) => found,
});

function withBid({ price, bids, onBorder }: Candidates, bid: Bid): Candidates {
  if (bid.dateTime % windowMs === 0) return { price, bids, onBorder: [...onBorder, bid] };
  if (bid.price === price) return { price, bids: [...bids, bid], onBorder };
  return { price: bid.price, bids: [bid], onBorder };
}

/**
 * The bids with the highest price per tumbling window of 10 s. A bid on the window's end does not
 * count for the highest price, but is a row if it has it: so windows are a millisecond longer here
 * than they are apart, and a bid on a border is in two of them.
 */
export const q7 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    keyBy(() => 0),
    window('highest-bids', sliding(windowMs + 1, windowMs)),
    aggregate({ candidates }),
    flatMap((result) => rowsOf(result.candidates, result.window.start)),
  );

function rowsOf({ bids, onBorder }: Candidates, start: number): Row[] {
  const inside = [...bids, ...onBorder.filter(({ dateTime }) => dateTime === start)];
  const onEnd = onBorder.filter(({ dateTime }) => dateTime !== start);
  const highest = inside.reduce((max, { price }) => Math.max(max, price), 0);
  return [...inside, ...onEnd]
    .filter(({ price }) => price === highest)
    .map((b) => [b.auction, b.price, b.bidder, b.dateTime, b.extra]);
}
