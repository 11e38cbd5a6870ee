import {
  type CanonicalKey,
  canonicalKey,
  decodeKey,
  decodeRecord,
  encodeKey,
  keyOfCanonical,
} from '@millrace/core/internal';
import type { StateDescriptor } from '@millrace/core/spi';
import { blobAt } from './block-builder.js';
import type { CellExtent, CellKind, CellRow, SweptCell } from './cell-kind.js';
import { type Expiry, noStamp } from './expiry.js';
import { stateLimits } from './limits.js';
import { MapCell, type MapCellSpec, MapEntry } from './map-cell.js';
import { migrated } from './migrated.js';
import type { StoredBlock } from './state-part.js';

/** One entry as it was; undefined: it was deleted. */
interface KeptEntry {
  readonly key: CanonicalKey;
  readonly entry: MapEntry | undefined;
}

/** Cells that are maps: a row for each entry, so that a change of one writes one. */
export function mapKind(
  descriptor: StateDescriptor,
  expiry: Expiry | undefined,
  tracking: MapCellSpec['tracking'],
): CellKind {
  const copy = descriptor.copy as ((value: unknown) => unknown) | undefined;
  const spec: MapCellSpec = { kind: descriptor.kind, tracking };
  return {
    layout: { kind: descriptor.kind, numbers: 2, blobs: 2, identityNumbers: 0, identityBlobs: 1 },
    keep(cell, extent) {
      const map = cell as MapCell;
      const kept = Array.from(takenOf(map, extent), (key): KeptEntry => {
        const entry = map.get(key);
        return { key, entry: entry && keptOf(entry, copy) };
      });
      beginChanges(map);
      return kept;
    },
    write(cell, row, extent) {
      const map = cell as MapCell;
      for (const key of takenOf(map, extent)) writeEntry({ key, entry: map.get(key) }, row);
      beginChanges(map);
    },
    writeKept(kept, row) {
      for (const entry of kept as readonly KeptEntry[]) writeEntry(entry, row);
    },
    writesEntries: true,
    weightOf: (cell) => (cell as MapCell).size,
    load: (cell, block, { row }) => loaded(cell as MapCell | undefined, block, row),
    ...(expiry && {
      sweep: (cell, touch) => swept(cell as MapCell, expiry, touch),
    }),
  };

  function loaded(cell: MapCell | undefined, block: StoredBlock, row: number): MapCell | undefined {
    const { kind, version, columns, stamps } = block;
    const key = canonicalKey(decodeKey(blobAt(columns.blobs[0]!, row)));
    if (kind === 'removals') {
      cell?.delete(key);
      return cell?.size === 0 ? undefined : cell;
    }
    const map = cell ?? new MapCell(spec);
    const value = migrated(descriptor, version, decodeRecord(blobAt(columns.blobs[1]!, row)));
    const stampMs = stamps === 'old' ? noStamp : columns.numbers[0]![row]!;
    map.restore(key, new MapEntry(value, stampMs, columns.numbers[1]![row]!));
    return map;
  }
}

/** The keys whose entries a snapshot takes. */
function takenOf(cell: MapCell, extent: CellExtent): Iterable<CanonicalKey> {
  return extent === 'all' ? cell.keys() : cell.changed!;
}

/**
 * What changes from now on is the next snapshot's. Only when all entries have been taken: where the
 * author's copy throws for one of them, the snapshot still needs all.
 */
function beginChanges(cell: MapCell): void {
  cell.changed = new Set();
}

function keptOf(entry: MapEntry, copy: ((value: unknown) => unknown) | undefined): MapEntry {
  const { value, stampMs, sequence } = entry;
  return new MapEntry(copy === undefined ? value : copy(value), stampMs, sequence);
}

function writeEntry({ key, entry }: KeptEntry, row: CellRow): void {
  if (entry === undefined && row.isNew) return;
  const { block, row: at } = entry === undefined ? row.out.removal(row) : row.out.row(row);
  block.blob(at, 0, encodeKey(keyOfCanonical(key)));
  if (entry === undefined) return;
  block.number(at, 0, entry.stampMs);
  block.number(at, 1, entry.sequence);
  row.out.blob(block, at, 1, entry.value);
}

/**
 * Looks at some entries in each call, since a map may be large: at more than were added since the
 * last one, or a round over a map that grows fast would never end.
 */
function swept(map: MapCell, expiry: Expiry, touch: () => void): SweptCell {
  const { ttlSweepEntries, ttlSweepInsertedMax } = stateLimits;
  const entries = ttlSweepEntries + 2 * map.takeInserted(ttlSweepInsertedMax);
  for (let looked = 0; looked < entries; looked += 1) {
    const next = map.nextToSweep();
    if (next === undefined) return { left: map, isDone: true };
    const [key, entry] = next;
    if (Number.isNaN(entry.stampMs)) {
      const nowMs = expiry.stamp();
      if (Number.isNaN(nowMs)) continue;
      touch();
      entry.stampMs = nowMs;
      map.changed?.add(key);
    } else if (expiry.hasExpired(entry.stampMs)) {
      if (map.size === 1) return { left: undefined, isDone: true };
      touch();
      map.delete(key);
      map.changed?.add(key);
    }
  }
  return { left: map, isDone: false };
}
