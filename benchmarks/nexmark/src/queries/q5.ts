import type { Stream } from '@millrace/core';
import {
  aggregate,
  count,
  filter,
  flatMap,
  keyBy,
  maxBy,
  sliding,
  tumbling,
  window,
} from '@millrace/operators';
import type { Event, Row } from '../model.js';
import { isBid } from './bids.js';

/**
 * The auctions with the most bids per sliding window of 10 s every 2 s. Counts carry the time of
 * their window's last millisecond, so a tumbling window of 2 s holds those of exactly one window.
 */
export const q5 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    keyBy((b) => b.auction),
    window('bids-per-auction', sliding('10s', '2s')),
    aggregate({ num: count() }),
    keyBy((c) => c.window.end),
    window('most-bids', tumbling('2s')),
    aggregate({ top: maxBy((c) => c.num, { ties: 'all' }) }),
    flatMap(({ top }) => top.map((c): Row => [c.key, c.num])),
  );
