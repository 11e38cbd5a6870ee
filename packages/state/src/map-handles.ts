import { type CanonicalKey, canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import type { Key, MapState, SortedMapState } from '@millrace/core/spi';
import type { Expiry } from './expiry.js';
import { MapCell } from './map-kind.js';
import type { StateCell } from './state-cell.js';
import type { HandleParts } from './state-handles.js';

/** What both kinds of map do with a cell. */
class MapEntries {
  private readonly parts: HandleParts;
  private readonly cell: StateCell;
  private readonly expiry: Expiry | undefined;

  constructor(parts: HandleParts) {
    this.parts = parts;
    this.cell = parts.cell;
    this.expiry = parts.expiry;
  }

  map(): MapCell | undefined {
    return this.cell.get() as MapCell | undefined;
  }

  has(key: CanonicalKey): boolean {
    const map = this.map();
    return map?.entries.has(key) === true && this.isVisible(map, key);
  }

  get(key: CanonicalKey): unknown {
    const map = this.map();
    const value = map?.entries.get(key);
    if (map === undefined || !this.has(key)) return undefined;
    const { expiry, cell } = this;
    if (expiry?.refreshesOnRead === true) this.write(map, key, value);
    else if (this.parts.descriptor.copy !== undefined) {
      cell.mayChange();
      map.changed.add(key);
    }
    return value;
  }

  set(key: CanonicalKey, value: unknown): void {
    let map = this.map();
    if (map === undefined) {
      map = new MapCell(this.parts.descriptor.kind, this.expiry);
      this.cell.set(map);
    }
    this.write(map, key, value);
  }

  delete(key: CanonicalKey): void {
    const map = this.map();
    if (map?.entries.has(key) !== true) return;
    if (map.entries.size === 1) {
      this.cell.set(undefined);
      return;
    }
    this.change(map, key);
    map.delete(key);
  }

  clear(): void {
    this.cell.set(undefined);
  }

  isVisible(map: MapCell, key: CanonicalKey): boolean {
    const { expiry } = this;
    return expiry?.hidesExpired !== true || !expiry.hasExpired(map.stamps!.get(key)!);
  }

  /** How many entries can be seen. */
  get size(): number {
    const map = this.map();
    if (map === undefined || this.expiry?.hidesExpired !== true) return map?.entries.size ?? 0;
    let size = 0;
    for (const key of map.entries.keys()) if (this.isVisible(map, key)) size += 1;
    return size;
  }

  private write(map: MapCell, key: CanonicalKey, value: unknown): void {
    this.change(map, key);
    map.set(key, value, this.expiry?.stamp());
  }

  /** An entry is about to be set or deleted. */
  private change(map: MapCell, key: CanonicalKey): void {
    const { entries, stamps } = map;
    const before = entries.get(key);
    const stampMs = stamps?.get(key);
    const undo = entries.has(key) ? () => map.set(key, before, stampMs) : () => map.delete(key);
    this.cell.change(undo);
    map.changed.add(key);
  }
}

export class HeapMapState implements MapState<Key, unknown> {
  private readonly map: MapEntries;

  constructor(parts: HandleParts) {
    this.map = new MapEntries(parts);
  }

  get size(): number {
    return this.map.size;
  }

  get(key: Key): unknown {
    return this.map.get(canonicalKey(key));
  }

  has(key: Key): boolean {
    return this.map.has(canonicalKey(key));
  }

  set(key: Key, value: unknown): void {
    this.map.set(canonicalKey(key), value);
  }

  delete(key: Key): void {
    this.map.delete(canonicalKey(key));
  }

  *entries(): Iterable<readonly [Key, unknown]> {
    const cell = this.map.map();
    if (cell === undefined) return;
    for (const [key, value] of cell.entries) {
      if (this.map.isVisible(cell, key)) yield [keyOfCanonical(key), value];
    }
  }

  clear(): void {
    this.map.clear();
  }
}

export class HeapSortedMapState implements SortedMapState<Key, unknown> {
  private readonly map: MapEntries;

  constructor(parts: HandleParts) {
    this.map = new MapEntries(parts);
  }

  get size(): number {
    return this.map.size;
  }

  get(key: Key): unknown {
    return this.map.get(canonicalKey(key));
  }

  has(key: Key): boolean {
    return this.map.has(canonicalKey(key));
  }

  set(key: Key, value: unknown): void {
    this.map.set(canonicalKey(key), value);
  }

  delete(key: Key): void {
    this.map.delete(canonicalKey(key));
  }

  *range(from?: Key, to?: Key): Iterable<readonly [Key, unknown]> {
    const cell = this.map.map();
    if (cell === undefined) return;
    // The keys are a copy: the author may delete what is visited.
    for (const key of this.keysBetween(cell, from, to)) {
      if (this.map.has(key)) yield [keyOfCanonical(key), cell.entries.get(key)];
    }
  }

  first(): readonly [Key, unknown] | undefined {
    const cell = this.map.map();
    if (cell === undefined) return undefined;
    const key = cell.order!.first();
    if (key !== undefined && this.map.isVisible(cell, key)) return entryOf(cell, key);
    const [next] = this.range();
    return next;
  }

  last(): readonly [Key, unknown] | undefined {
    const cell = this.map.map();
    if (cell === undefined) return undefined;
    const key = cell.order!.last();
    if (key !== undefined && this.map.isVisible(cell, key)) return entryOf(cell, key);
    return [...this.range()].at(-1);
  }

  deleteRange(from?: Key, to?: Key): void {
    const cell = this.map.map();
    if (cell === undefined) return;
    for (const key of this.keysBetween(cell, from, to)) this.map.delete(key);
  }

  clear(): void {
    this.map.clear();
  }

  private keysBetween(
    cell: MapCell,
    from: Key | undefined,
    to: Key | undefined,
  ): readonly CanonicalKey[] {
    const bound = (key: Key | undefined): CanonicalKey | undefined =>
      key === undefined ? undefined : canonicalKey(key);
    return cell.order!.between(bound(from), bound(to));
  }
}

const entryOf = (cell: MapCell, key: CanonicalKey): readonly [Key, unknown] => [
  keyOfCanonical(key),
  cell.entries.get(key),
];
