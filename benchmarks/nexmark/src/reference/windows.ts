import type { Bid, Event } from '../model.js';

/** Ten seconds: the windows of q5, q7 and q8 and the session gap of q11. */
export const windowMs = 10_000;

/** The bids among the events, in order of arrival. */
export function bidsOf(events: readonly Event[]): Bid[] {
  return events.filter((event) => event.kind === 'bid');
}

/** Start of the tumbling window that holds `time`. */
export function windowStart(time: number): number {
  return Math.floor(time / windowMs) * windowMs;
}

/** Groups values by key, both in order of arrival. */
export function groupBy<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
