import { type CanonicalKey, canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import type { Key, MapState, SortedMapState } from '@millrace/core/spi';
import { type Expiry, noStamp } from './expiry.js';
import { MapCell, type MapEntry } from './map-cell.js';
import type { StateCell } from './state-cell.js';
import type { HandleParts } from './state-handles.js';

/** What both kinds of map do with a cell. */
class MapEntries {
  private readonly parts: HandleParts;
  private readonly cell: StateCell;
  private readonly expiry: Expiry | undefined;
  private readonly copy: ((value: unknown) => unknown) | undefined;

  constructor(parts: HandleParts) {
    this.parts = parts;
    this.cell = parts.cell;
    this.expiry = parts.expiry;
    this.copy = parts.descriptor.copy as ((value: unknown) => unknown) | undefined;
  }

  map(): MapCell | undefined {
    return this.cell.get() as MapCell | undefined;
  }

  has(key: CanonicalKey): boolean {
    const entry = this.map()?.get(key);
    return entry !== undefined && this.isVisible(entry);
  }

  get(key: CanonicalKey): unknown {
    const map = this.map();
    const entry = map?.get(key);
    if (entry === undefined || !this.isVisible(entry)) return undefined;
    return this.read(map!, key, entry);
  }

  /** The entry's value for the author, who may change it in place where there is a copy. */
  read(map: MapCell, key: CanonicalKey, entry: MapEntry): unknown {
    const { expiry, copy } = this;
    // Ahead of a refresh: undone backwards, the copy is what is put back last.
    if (copy !== undefined) this.giveOut(map, key, entry, copy);
    if (expiry?.refreshesOnRead === true) {
      const stampMs = expiry.refreshed(entry.stampMs);
      if (!Object.is(stampMs, entry.stampMs)) this.replace(map, key, entry, entry.value, stampMs);
    }
    return entry.value;
  }

  set(key: CanonicalKey, value: unknown): void {
    const stampMs = this.expiry?.stamp() ?? noStamp;
    const map = this.map() ?? this.newMap();
    const entry = map.get(key);
    if (entry !== undefined && this.isVisible(entry)) {
      this.replace(map, key, entry, value, stampMs);
      return;
    }
    // Whether what has expired is still there must not be seen: it is set anew.
    if (entry !== undefined) this.remove(map, key, entry);
    const { cell } = this;
    cell.touch();
    map.insert(key, value, stampMs);
    map.changed?.add(key);
    cell.weigh(1);
    if (!cell.isUndoable) return;
    cell.onUndo(() => {
      map.delete(key);
      cell.weigh(-1);
    });
  }

  delete(key: CanonicalKey): void {
    const map = this.map();
    const entry = map?.get(key);
    if (map === undefined || entry === undefined) return;
    if (map.size === 1) this.cell.set(undefined);
    else this.remove(map, key, entry);
  }

  clear(): void {
    this.cell.set(undefined);
  }

  isVisible(entry: MapEntry): boolean {
    const { expiry } = this;
    return expiry?.hidesExpired !== true || !expiry.hasExpired(entry.stampMs);
  }

  /** How many entries can be seen. */
  get size(): number {
    const map = this.map();
    if (map === undefined || this.expiry?.hidesExpired !== true) return map?.size ?? 0;
    let size = 0;
    for (const [, entry] of map.inOrder()) if (this.isVisible(entry)) size += 1;
    return size;
  }

  /** The author may change the value in place. */
  private giveOut(
    map: MapCell,
    key: CanonicalKey,
    entry: MapEntry,
    copy: (value: unknown) => unknown,
  ): void {
    const { cell } = this;
    cell.touch();
    map.changed?.add(key);
    if (!cell.isUndoable) return;
    const before = copy(entry.value);
    cell.onUndo(() => {
      entry.value = before;
    });
  }

  private newMap(): MapCell {
    const { descriptor, tracking } = this.parts;
    const map = new MapCell({ kind: descriptor.kind, tracking });
    this.cell.set(map);
    return map;
  }

  private replace(
    map: MapCell,
    key: CanonicalKey,
    entry: MapEntry,
    value: unknown,
    stampMs: number,
  ): void {
    const { cell } = this;
    cell.touch();
    map.changed?.add(key);
    if (cell.isUndoable) {
      const { value: valueBefore, stampMs: stampBefore } = entry;
      cell.onUndo(() => {
        entry.value = valueBefore;
        entry.stampMs = stampBefore;
      });
    }
    entry.value = value;
    entry.stampMs = stampMs;
  }

  private remove(map: MapCell, key: CanonicalKey, entry: MapEntry): void {
    const { cell } = this;
    cell.touch();
    map.delete(key);
    map.changed?.add(key);
    cell.weigh(-1);
    if (!cell.isUndoable) return;
    cell.onUndo(() => {
      map.restore(key, entry);
      cell.weigh(1);
    });
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
    const { map } = this;
    const cell = map.map();
    if (cell === undefined) return;
    for (const [key, entry] of cell.inOrder()) {
      // The author may clear what is visited.
      if (map.map() !== cell) return;
      if (map.isVisible(entry)) yield [keyOfCanonical(key), map.read(cell, key, entry)];
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
    // The keys are a copy: the author may delete what is visited.
    for (const key of this.keysBetween(from, to)) {
      const found = this.entryAt(key);
      if (found !== undefined) yield found;
    }
  }

  first(): readonly [Key, unknown] | undefined {
    const key = this.map.map()?.order?.first();
    if (key === undefined) return undefined;
    return this.entryAt(key) ?? this.firstOf(this.keysBetween());
  }

  last(): readonly [Key, unknown] | undefined {
    const key = this.map.map()?.order?.last();
    if (key === undefined) return undefined;
    return this.entryAt(key) ?? this.firstOf(this.keysBetween().toReversed());
  }

  deleteRange(from?: Key, to?: Key): void {
    for (const key of this.keysBetween(from, to)) this.map.delete(key);
  }

  clear(): void {
    this.map.clear();
  }

  private firstOf(keys: readonly CanonicalKey[]): readonly [Key, unknown] | undefined {
    const key = keys.find((candidate) => this.map.has(candidate));
    return key === undefined ? undefined : this.entryAt(key);
  }

  /** Undefined when nothing that may be seen is there. */
  private entryAt(key: CanonicalKey): readonly [Key, unknown] | undefined {
    const { map } = this;
    const cell = map.map();
    const entry = cell?.get(key);
    if (entry === undefined || !map.isVisible(entry)) return undefined;
    return [keyOfCanonical(key), map.read(cell!, key, entry)];
  }

  private keysBetween(from?: Key, to?: Key): readonly CanonicalKey[] {
    const bound = (key: Key | undefined): CanonicalKey | undefined =>
      key === undefined ? undefined : canonicalKey(key);
    return this.map.map()?.order?.between(bound(from), bound(to)) ?? [];
  }
}
