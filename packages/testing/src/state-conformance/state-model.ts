import { canonicalKey, keyGroupOf } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import { groupCount } from './state-rig.js';

export interface ModelTimer {
  readonly kind: 'event' | 'processing';
  readonly name: string;
  readonly key: Key;
  readonly atMs: number;
}

export type Entries = readonly (readonly [Key, unknown])[];
export type Stamped = readonly { readonly value: unknown; readonly key?: Key; stampMs: number }[];

const nan = Symbol('NaN');

/** Keys by what tells them apart, for `===`. */
export function idOf(key: Key): unknown {
  return Number.isNaN(key) ? nan : canonicalKey(key);
}
export const groupOf = (key: Key): number => keyGroupOf(key, groupCount);

/** With an entry in its place, or behind the others. */
function withEntry(entries: Entries, key: Key, value: unknown): Entries {
  const at = entries.findIndex(([other]) => idOf(other) === idOf(key));
  const entry: readonly [Key, unknown] = [key, value];
  return at < 0 ? [...entries, entry] : entries.with(at, entry);
}

/**
 * All state as plain immutable values by name and key, so that a copy of it is a snapshot. Slow and
 * obvious.
 */
export class StateModel {
  time = { recordMs: 0, watermarkMs: -Infinity, processingMs: 0 };
  /** In the order in which they were set. */
  timers: readonly ModelTimer[] = [];
  /** Broadcast state, in the order in which its keys were set first. */
  rules: Entries = [];
  times: readonly number[] = new Array<number>(groupCount).fill(-Infinity);
  private cells = new Map<string, ReadonlyMap<unknown, { key: Key; value: unknown }>>();

  copy(): StateModel {
    const copy = new StateModel();
    copy.time = { ...this.time };
    copy.timers = this.timers;
    copy.rules = this.rules;
    copy.times = this.times;
    copy.cells = new Map(this.cells);
    return copy;
  }

  get<T>(name: string, key: Key): T | undefined {
    return this.cells.get(name)?.get(idOf(key))?.value as T | undefined;
  }

  /** Undefined forgets it. */
  set(name: string, key: Key, value: unknown): void {
    const cells = new Map(this.cells.get(name));
    if (value === undefined) cells.delete(idOf(key));
    else cells.set(idOf(key), { key, value });
    if (cells.size === 0) this.cells.delete(name);
    else this.cells.set(name, cells);
  }

  drop(name: string): void {
    this.cells.delete(name);
  }

  names(): readonly string[] {
    return [...this.cells.keys()].sort();
  }

  keysOf(name: string): readonly Key[] {
    return [...(this.cells.get(name)?.values() ?? [])].map(({ key }) => key);
  }

  entries(name: string, key: Key): Entries {
    return this.get<Entries>(name, key) ?? [];
  }

  /** Sets an entry of a map: in its place, or behind the others. */
  setEntry(name: string, key: Key, entryKey: Key, value: unknown): void {
    this.set(name, key, withEntry(this.entries(name, key), entryKey, value));
  }

  setRule(key: Key, value: unknown): void {
    this.rules = withEntry(this.rules, key, value);
  }

  keepEntries(name: string, key: Key, stays: (entryKey: Key) => boolean): void {
    const left = this.entries(name, key).filter(([entryKey]) => stays(entryKey));
    this.set(name, key, left.length === 0 ? undefined : left);
  }

  /** Those of a state with a time to live that have not expired. */
  living(name: string, key: Key, nowMs: number): Stamped {
    const all = this.get<Stamped>(name, key) ?? [];
    return all.filter(({ stampMs }) => stampMs + 10 > nowMs);
  }

  takeDue(kind: ModelTimer['kind'], limitMs: number): ModelTimer | undefined {
    const [due] = this.timers
      .filter((timer) => timer.kind === kind && timer.atMs < limitMs)
      .sort((a, b) => a.atMs - b.atMs);
    this.timers = this.timers.filter((timer) => timer !== due);
    return due;
  }

  /** What is left for the key groups that fit. */
  only(fits: (group: number) => boolean): StateModel {
    const part = this.copy();
    part.timers = this.timers.filter(({ key }) => fits(groupOf(key)));
    part.times = this.times.map((time, group) => (fits(group) ? time : -Infinity));
    for (const name of this.names()) {
      const owner = (key: Key) => (name.startsWith('pairs') ? (key as readonly Key[])[0]! : key);
      for (const key of this.keysOf(name)) {
        if (!fits(groupOf(owner(key)))) part.set(name, key, undefined);
      }
    }
    return part;
  }
}
