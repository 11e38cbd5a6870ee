import type { Stream } from '@millrace/core';
import { filter, map } from '@millrace/operators';
import { euroText } from '../euro.js';
import type { Event, Row } from '../model.js';
import { isBid } from './bids.js';

/** Bids with the price in euro. */
export const q1 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    map((b): Row => [b.auction, b.bidder, euroText(b.price), b.dateTime, b.extra]),
  );
