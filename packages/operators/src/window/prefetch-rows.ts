import type { KeyTable, KeyTables, Prefetch } from '@millrace/core/spi';
import type { PaneStore } from './pane-store.js';

/** Tables that one batch is looked up in ahead; what is in others is read when it is needed. */
const tablesMax = 8;

/** Loads the rows that a batch's records will be added to, where they are outside memory. */
export function prefetchRows(
  tables: KeyTables,
  store: PaneStore,
  { batch, from }: Prefetch & { kind: 'batch' },
): Promise<void> | undefined {
  const { keys, timestamps, count } = batch;
  if (keys === undefined || tables.prefetch === undefined) return undefined;
  const loads: Promise<void>[] = [];
  for (const table of tablesOf(store, timestamps, from, count)) {
    const load = tables.prefetch(table, keys, from, count);
    if (load !== undefined) loads.push(load);
  }
  if (loads.length < 2) return loads[0];
  return Promise.all(loads).then(() => undefined);
}

/** Tables that the timestamps go to, as far as they are there. */
function tablesOf(
  store: PaneStore,
  timestamps: Float64Array,
  from: number,
  to: number,
): ReadonlySet<KeyTable> {
  const tables = new Set<KeyTable>();
  let lo = 1;
  let hi = 0;
  for (let i = from; i < to && tables.size < tablesMax; i += 1) {
    const t = timestamps[i]!;
    if (t >= lo && t < hi) continue;
    const place = store.existing(t);
    if (place === undefined) break;
    ({ lo, hi } = place);
    for (const table of place.tables) tables.add(table);
  }
  return tables;
}
