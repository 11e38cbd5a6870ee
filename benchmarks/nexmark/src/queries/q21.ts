import type { Stream } from '@millrace/core';
import { filter, map } from '@millrace/operators';
import { channelIdOf } from '../channel-id.js';
import type { Event, Row } from '../model.js';
import { isBid } from './bids.js';

/** Bids with the id of their channel: by its name, else from the url; others are left out. */
export const q21 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    map((b) => {
      const id = channelIdOf(b.channel, b.url);
      return id === undefined ? undefined : [b.auction, b.bidder, b.price, b.channel, id];
    }),
    filter((row): row is NonNullable<typeof row> => row !== undefined),
  );
