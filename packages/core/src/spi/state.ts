import type { Key } from '../keys/key-codec.js';

/** Kinds of keyed state that operators can declare. */
export type StateKind = 'value' | 'list' | 'map' | 'keyTable';

/** Declares a state: part of the graph, so that the plan knows every state before it runs. */
export interface StateDescriptor<H = unknown> {
  readonly kind: StateKind;
  /** Version of the value's shape; a restore of another one needs `migrate`. Default 1. */
  readonly version: number;
  /** Carries the handle's type; never set. */
  readonly handle?: H;
}

/** One value for each key. */
export interface ValueState<T> {
  /** The value, or undefined when none is set. */
  get(): T | undefined;
  set(value: T): void;
  clear(): void;
}

/** A list for each key. */
export interface ListState<T> {
  get(): readonly T[];
  add(value: T): void;
  set(values: readonly T[]): void;
  clear(): void;
}

/** A map for each key; iterates in insertion order. */
export interface MapState<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): void;
  delete(key: K): void;
  entries(): Iterable<readonly [K, V]>;
  readonly size: number;
  clear(): void;
}

/** Timers of one name. Setting the same time twice for a key is one timer. */
export interface Timer {
  /** Fires once when time has passed `atMs` (event time: when the watermark is beyond it). */
  set(atMs: number): void;
  delete(atMs: number): void;
  /** Deletes all timers of this name for the current key. */
  clear(): void;
}

export interface DueTimer {
  readonly name: string;
  readonly key: Key;
  readonly atMs: number;
}

/** Timers of one operator and one kind of time. */
export interface TimerService {
  /** The handle for timers of `name` of the current key. */
  handle(name: string): Timer;
  /** Takes the earliest timer with `atMs < limitMs`, in order of time, then of registration. */
  takeDue(limitMs: number): DueTimer | undefined;
  /** Time of the earliest timer; +∞ when there is none. */
  nextMs(): number;
  readonly size: number;
}

/**
 * The keyed state of one operator. Handles act on the key last given to `setKey`.
 *
 * With `begin` and `rollback` the engine takes back what a failing record did: `begin` is called
 * ahead of each record where the error policy goes on after a failure.
 */
export interface KeyedStateAccess {
  readonly handles: Readonly<Record<string, unknown>>;
  readonly eventTimers: TimerService;
  readonly processingTimers: TimerService;
  setKey(key: Key): void;
  /** Starts recording undo; forgets what was recorded before. */
  begin(): void;
  /** Undoes everything since `begin`. */
  rollback(): void;
  /** Keys that hold any state. */
  readonly keyCount: number;
}

/** Layout of a table's rows: numbers, then references. */
export interface KeyTableSpec {
  /** Initial value of each number of a row. */
  readonly numbers: readonly number[];
  /** Makes the initial value of each reference of a row. */
  readonly refs: readonly (() => unknown)[];
}

/**
 * Rows of accumulators by key, as columns side by side: generated code reads and writes
 * `numbers[slot * numberStride + i]` and `refs[slot * refStride + j]` without a call.
 *
 * Laws: a slot stays a key's own until `remove` or `clear`. `numbers` and `refs` may be replaced
 * whenever a slot is made: read them anew after `slot`. Slots `0 … high − 1` for which `isLive`
 * are in use; without removals they are in the order of first use.
 */
export interface KeyTable {
  numbers: Float64Array;
  refs: unknown[];
  readonly numberStride: number;
  readonly refStride: number;
  readonly high: number;
  readonly size: number;
  /** The key's slot, made with initial values when there is none. */
  slot(key: Key): number;
  /** The key's slot, or −1. */
  find(key: Key): number;
  isLive(slot: number): boolean;
  keyAt(slot: number): Key;
  remove(slot: number): void;
  /** Forgets all keys and keeps the memory for reuse. */
  clear(): void;
}

/** Keeps the state of the operators of one subtask. */
export interface StateBackend {
  keyedState(
    operatorId: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
  ): KeyedStateAccess;
  keyTable(operatorId: string, spec: KeyTableSpec): KeyTable;
}
