import type { Stream } from '@millrace/core';
import { aggregate, filter, keyBy, map, maxBy, sum, tumbling, window } from '@millrace/operators';
import type { Auction, Event, Person, Row } from '../model.js';

/** Persons who registered and opened an auction in the same tumbling window of 10 s. */
export const q8 = (events: Stream<Event>): Stream<Row> =>
  events.pipe(
    filter((e): e is Person | Auction => e.kind !== 'bid'),
    keyBy((e) => (e.kind === 'person' ? e.id : e.seller)),
    window('new-sellers', tumbling('10s')),
    aggregate({
      auctions: sum((e) => (e.kind === 'auction' ? 1 : 0)),
      person: maxBy((e) => (e.kind === 'person' ? 1 : 0)),
    }),
    filter(({ auctions, person }) => auctions > 0 && person.kind === 'person'),
    map(({ key, person, window: { start } }): Row => [key, (person as Person).name, start]),
  );
