import type { Stream } from '@millrace/core';
import { filter, map } from '@millrace/operators';
import { dayKind } from '../day-kind.js';
import { euroText, isMiddlingPrice } from '../euro.js';
import { lettersC } from '../letters.js';
import type { Event, Row } from '../model.js';
import { isBid } from './bids.js';

/** Bids of a middling price, with the kind of day and the number of letters c in `extra`. */
export const q14 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter(isBid),
    filter((b) => isMiddlingPrice(b.price)),
    map((b): Row => {
      const kind = dayKind(b.dateTime);
      const letters = lettersC(b.extra);
      return [b.auction, b.bidder, euroText(b.price), kind, b.dateTime, b.extra, letters];
    }),
  );
