import {
  type CanonicalKey,
  canonicalKey,
  decodeKey,
  decodeRecord,
  encodeKey,
  keyOfCanonical,
} from '@millrace/core/internal';
import type { StateDescriptor, StateKind } from '@millrace/core/spi';
import { blobAt } from './block-builder.js';
import type { CellExtent, CellKind, CellRow } from './cell-kind.js';
import { type Expiry, noStamp } from './expiry.js';
import { migrated } from './migrated.js';
import { SortedKeys } from './sorted-keys.js';
import type { StoredBlock } from './state-part.js';
import { stampOf } from './value-kind.js';

/** A key's map, by the canonical forms of its keys. */
export class MapCell {
  readonly entries = new Map<CanonicalKey, unknown>();
  /** The time of each entry, where they have a time to live. */
  readonly stamps: Map<CanonicalKey, number> | undefined;
  /** Entries set or deleted since the last snapshot took the cell. */
  changed = new Set<CanonicalKey>();
  /** The order of the keys, where the state is sorted. */
  readonly order: SortedKeys | undefined;

  constructor(kind: StateKind, expiry: Expiry | undefined) {
    this.stamps = expiry === undefined ? undefined : new Map();
    this.order = kind === 'sortedMap' ? new SortedKeys() : undefined;
  }

  set(key: CanonicalKey, value: unknown, stampMs: number | undefined): void {
    if (this.order !== undefined && !this.entries.has(key)) this.order.add(key);
    this.entries.set(key, value);
    if (stampMs !== undefined) this.stamps?.set(key, stampMs);
  }

  delete(key: CanonicalKey): void {
    if (!this.entries.delete(key)) return;
    this.stamps?.delete(key);
    this.order?.remove(key);
  }
}

/** One entry as it was; `undefined` stamps and absence are told apart by `has`. */
interface KeptEntry {
  readonly key: CanonicalKey;
  readonly has: boolean;
  readonly value: unknown;
  readonly stampMs: number | undefined;
}

/** Cells that are maps: a row for each entry, so that a change of one writes one. */
export function mapKind(descriptor: StateDescriptor, expiry: Expiry | undefined): CellKind {
  const take = (cell: MapCell, extent: CellExtent): KeptEntry[] => {
    const keys = extent === 'all' ? cell.entries.keys() : cell.changed;
    const kept = Array.from(keys, (key) => ({
      key,
      has: cell.entries.has(key),
      value: cell.entries.get(key),
      stampMs: cell.stamps?.get(key),
    }));
    cell.changed = new Set();
    return kept;
  };
  const write = (kept: readonly KeptEntry[], row: CellRow): void => {
    for (const entry of kept) writeEntry(entry, row);
  };
  return {
    layout: {
      kind: descriptor.kind,
      numbers: 1,
      blobs: 2,
      identityNumbers: 0,
      identityBlobs: 1,
    },
    keep: (cell, extent) => take(cell as MapCell, extent),
    write: (cell, row, extent) => write(take(cell as MapCell, extent), row),
    writeKept: (kept, row) => write(kept as readonly KeptEntry[], row),
    load: (cell, block, { row }) => loaded(cell as MapCell | undefined, block, row),
    ...(expiry && { expire: (cell) => withoutExpired(cell as MapCell, expiry) }),
  };

  function loaded(cell: MapCell | undefined, block: StoredBlock, row: number): MapCell | undefined {
    const { kind, version, columns } = block;
    const key = canonicalKey(decodeKey(blobAt(columns.blobs[0]!, row)));
    if (kind === 'removals') {
      cell?.delete(key);
      return cell?.entries.size === 0 ? undefined : cell;
    }
    const map = cell ?? new MapCell(descriptor.kind, expiry);
    const value = migrated(descriptor, version, decodeRecord(blobAt(columns.blobs[1]!, row)));
    map.set(key, value, expiry && stampOf(columns.numbers[0]![row]!, expiry));
    return map;
  }
}

function writeEntry({ key, has, value, stampMs = noStamp }: KeptEntry, row: CellRow): void {
  if (!has && row.isNew) return;
  const { block, row: at } = has ? row.out.row(row) : row.out.removal(row);
  block.blob(at, 0, encodeKey(keyOfCanonical(key)));
  if (!has) return;
  block.number(at, 0, stampMs);
  row.out.blob(block, at, 1, value);
}

/** Deletes what has expired; undefined when nothing is left. */
function withoutExpired(cell: MapCell, expiry: Expiry): MapCell | undefined {
  for (const [key, stamp] of cell.stamps!) {
    if (!expiry.hasExpired(stamp)) continue;
    cell.delete(key);
    cell.changed.add(key);
  }
  return cell.entries.size === 0 ? undefined : cell;
}
