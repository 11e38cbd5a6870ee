import type { Stream } from '@millrace/core';
import { aggregate, count, filter, keyBy, map, session, window } from '@millrace/operators';
import type { Event, Row } from '../model.js';
import { isBid } from './bids.js';

/** Bids of each bidder per session with a gap of 10 s. */
export const q11 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    keyBy((b) => b.bidder),
    window('bids-per-bidder', session('10s')),
    aggregate({ num: count() }),
    map(({ key, num, window: { start, end } }): Row => [key, num, start, end]),
  );
