import type { Stream } from '@millrace/core';
import { filter, map } from '@millrace/operators';
import type { Event, Row } from '../model.js';
import { piece, pieceEnd } from '../url-pieces.js';
import { isBid } from './bids.js';

/** Bids with the pieces 3, 4 and 5 of their url; a piece that is not there is null. */
export const q22 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    map((b): Row => {
      const url = b.url;
      const end2 = pieceEnd(url, pieceEnd(url, pieceEnd(url, -1)));
      const end3 = pieceEnd(url, end2);
      const end4 = pieceEnd(url, end3);
      const end5 = pieceEnd(url, end4);
      return [
        b.auction,
        b.bidder,
        b.price,
        b.channel,
        piece(url, end2, end3),
        piece(url, end3, end4),
        piece(url, end4, end5),
      ];
    }),
  );
