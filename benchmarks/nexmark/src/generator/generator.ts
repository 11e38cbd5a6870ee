import type { Event } from '../model.js';
import { nextAuction } from './auction.js';
import { nextBid } from './bid.js';
import { auctionsPerEpoch, eventsPerEpoch, inFlightAuctions, personsPerEpoch } from './ids.js';
import { nextPerson } from './person.js';
import { Random } from './random.js';
import { Timeline } from './timeline.js';

/** What to generate. */
export interface GeneratorOptions {
  /** The same seed and options give the same events. */
  readonly seed: number;
  readonly events: number;
  /** Events per second of event time. */
  readonly rate: number;
  /** Bound of lateness in milliseconds of event time; 0 for events in order. */
  readonly disorderMs: number;
  /** Epoch milliseconds of the first event. */
  readonly startTime?: number;
}

/** Events in which as many auctions open as are in flight at any time. */
const horizonEvents = Math.floor((inFlightAuctions * eventsPerEpoch) / auctionsPerEpoch);

/** Generates the events of the Nexmark auction house one by one. */
export function* generate(options: GeneratorOptions): Generator<Event, void, undefined> {
  const { seed, events, rate, disorderMs, startTime } = options;
  const random = new Random(seed);
  const timeline = new Timeline(seed, rate, disorderMs, startTime);
  const horizonMs = Math.floor((horizonEvents * 1000) / rate);
  for (let n = 0; n < events; n++) {
    const dateTime = timeline.timeOf(n);
    const offset = n % eventsPerEpoch;
    if (offset < personsPerEpoch) yield nextPerson(random, n, dateTime);
    else if (offset < personsPerEpoch + auctionsPerEpoch) {
      yield nextAuction(random, n, dateTime, horizonMs);
    } else yield nextBid(random, n, dateTime);
  }
}
