import type { Bid, Event } from '../model.js';

/** The events that most queries are about: `events.pipe(filter(isBid))`. */
export const isBid = (e: Event): e is Bid => e.kind === 'bid';
