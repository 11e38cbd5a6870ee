import type { Stream } from '@millrace/core';
import { filter, map } from '@millrace/operators';
import type { Event, Row } from '../model.js';
import { isBid } from './bids.js';

/** Bids on every 123rd auction. */
export const q2 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    filter((b) => b.auction % 123 === 0),
    map((b): Row => [b.auction, b.price]),
  );
