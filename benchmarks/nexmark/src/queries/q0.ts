import type { Stream } from '@millrace/core';
import { filter, map } from '@millrace/operators';
import type { Event, Row } from '../model.js';
import { isBid } from './bids.js';

/** Bids, passed through. */
export const q0 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    map((b): Row => [b.auction, b.bidder, b.price, b.dateTime, b.extra]),
  );
