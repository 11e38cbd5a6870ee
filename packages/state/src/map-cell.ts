import type { CanonicalKey } from '@millrace/core/internal';
import type { StateKind } from '@millrace/core/spi';
import { SortedKeys } from './sorted-keys.js';

/** One entry of a map. */
export class MapEntry {
  value: unknown;
  /** What its time to live counts from; NaN where it has none. */
  stampMs: number;
  /** Its place among the others: they are in the order in which they were set first. */
  readonly sequence: number;

  constructor(value: unknown, stampMs: number, sequence: number) {
    this.value = value;
    this.stampMs = stampMs;
    this.sequence = sequence;
  }
}

/** What a map cell is made for. */
export interface MapCellSpec {
  readonly kind: StateKind;
  readonly tracking: 'tracked' | 'untracked';
}

/** A key's map, by the canonical forms of its keys. */
export class MapCell {
  /** Entries set or deleted since the last snapshot took the cell; undefined: nobody asks. */
  changed: Set<CanonicalKey> | undefined;
  /** The order of the keys, where the state is sorted. */
  readonly order: SortedKeys | undefined;
  private entries = new Map<CanonicalKey, MapEntry>();
  /** Whether `entries` are in the order of their sequence. */
  private isInOrder = true;
  private lastSequence = 0;
  /** The last of those inserted that sweeps have counted. */
  private sweptSequence = 0;
  /** Where the search for what has expired goes on. */
  private sweep: Iterator<[CanonicalKey, MapEntry]> | undefined;

  constructor({ kind, tracking }: MapCellSpec) {
    this.changed = tracking === 'tracked' ? new Set() : undefined;
    this.order = kind === 'sortedMap' ? new SortedKeys() : undefined;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: CanonicalKey): MapEntry | undefined {
    return this.entries.get(key);
  }

  /** Adds an entry whose key is not there, behind the others. */
  insert(key: CanonicalKey, value: unknown, stampMs: number): void {
    this.lastSequence += 1;
    this.entries.set(key, new MapEntry(value, stampMs, this.lastSequence));
    this.order?.add(key);
  }

  /** Puts an entry where its sequence says, in place of the one with this key. */
  restore(key: CanonicalKey, entry: MapEntry): void {
    // One that was deleted and set again meanwhile has another place than before.
    if (!this.entries.delete(key)) this.order?.add(key);
    this.entries.set(key, entry);
    if (entry.sequence < this.lastSequence) this.isInOrder = false;
    else {
      this.lastSequence = entry.sequence;
      this.sweptSequence = entry.sequence;
    }
  }

  delete(key: CanonicalKey): void {
    if (this.entries.delete(key)) this.order?.remove(key);
  }

  keys(): Iterable<CanonicalKey> {
    return this.entries.keys();
  }

  /** The entries in the order in which they were set first. */
  inOrder(): Iterable<[CanonicalKey, MapEntry]> {
    if (!this.isInOrder && this.order === undefined) {
      this.entries = new Map([...this.entries].sort(([, a], [, b]) => a.sequence - b.sequence));
      this.sweep = undefined;
      this.isInOrder = true;
    }
    return this.entries;
  }

  /** Counts entries inserted since sweeps came by last; those beyond `max` are for the next. */
  takeInserted(max: number): number {
    const inserted = Math.min(this.lastSequence - this.sweptSequence, max);
    this.sweptSequence += inserted;
    return inserted;
  }

  /** The next entry of a round over all of them; undefined ends the round. */
  nextToSweep(): readonly [CanonicalKey, MapEntry] | undefined {
    this.sweep ??= this.entries.entries();
    const { value, done } = this.sweep.next();
    if (done !== true) return value;
    this.sweep = undefined;
    return undefined;
  }
}
