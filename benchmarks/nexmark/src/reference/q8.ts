import type { Event, Row } from '../model.js';
import { windowStart } from './windows.js';

/** Persons who registered and opened an auction in the same tumbling window of 10 s. */
export function q8(events: readonly Event[]): Row[] {
  const sellers = new Set<string>();
  for (const event of events) {
    if (event.kind === 'auction') sellers.add(`${windowStart(event.dateTime)}/${event.seller}`);
  }
  const rows = new Map<string, Row>();
  for (const event of events) {
    if (event.kind !== 'person') continue;
    const start = windowStart(event.dateTime);
    const row = [event.id, event.name, start];
    if (sellers.has(`${start}/${event.id}`)) rows.set(JSON.stringify(row), row);
  }
  return [...rows.values()];
}
