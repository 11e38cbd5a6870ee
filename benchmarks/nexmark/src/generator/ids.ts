import type { Random } from './random.js';

/** Of 50 consecutive events the first is a person, three are auctions and 46 are bids. */
export const eventsPerEpoch = 50;
export const personsPerEpoch = 1;
export const auctionsPerEpoch = 3;

/** Ids of persons and auctions count from here. */
export const firstId = 1000;

/** Auctions that are open at any time; a bid that is not on a hot one picks among them. */
export const inFlightAuctions = 100;

const activePersonsMax = 1000;
const idLead = 10;

/** One id in this many is hot. */
const hotIdStride = 100;

/** Zero-based id of the youngest person when event `n` happens. */
export function lastPerson(n: number): number {
  return Math.floor(n / eventsPerEpoch);
}

/** Zero-based id of the youngest auction when event `n` happens; −1 before the first. */
export function lastAuction(n: number): number {
  const epoch = Math.floor(n / eventsPerEpoch);
  const offset = n % eventsPerEpoch;
  const inEpoch = Math.min(Math.max(offset - personsPerEpoch + 1, 0), auctionsPerEpoch);
  return epoch * auctionsPerEpoch + inEpoch - 1;
}

/** The hot id at or below `id`. */
export function hotId(id: number): number {
  return Math.floor(id / hotIdStride) * hotIdStride;
}

/** One of the last thousand persons, or one of ten who have not registered yet. */
export function nextPersonId(random: Random, n: number): number {
  const persons = lastPerson(n) + 1;
  const active = Math.min(persons, activePersonsMax);
  return persons - active + random.nextInt(active + idLead);
}

/** One of the open auctions, or one of ten that have not opened yet. */
export function nextAuctionId(random: Random, n: number): number {
  const last = lastAuction(n);
  const first = Math.max(last - inFlightAuctions, 0);
  return first + random.nextInt(last - first + 1 + idLead);
}
