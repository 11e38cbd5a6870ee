import type { Key } from '../keys/key-codec.js';

/** Kinds of state that operators can declare. */
export type StateKind =
  | 'value'
  | 'list'
  | 'map'
  | 'sortedMap'
  | 'reducing'
  | 'aggregating'
  | 'keyTable'
  | 'operatorList'
  | 'broadcast';

/** When state that is not used any more is forgotten. */
export interface StateTtl {
  /** An entry expires when its time, plus this many ms, has been reached. */
  readonly durationMs: number;
  /** `event`: that of the record or event timer, else of the watermark, which is the clock, too. */
  readonly time: 'event' | 'processing';
  /** What makes an entry new again. */
  readonly refreshOn: 'write' | 'readAndWrite';
  /** Whether an expired entry that has not been removed yet is still given out. */
  readonly expired: 'hidden' | 'visible';
}

/** How an aggregating state folds values. */
export interface StateAggregation<A = unknown, T = unknown, R = unknown> {
  create(): A;
  /** Returns the new accumulator; may be the old one, changed, where the state has a `copy`. */
  add(accumulator: A, value: T): A;
  result(accumulator: A): R;
}

/** Declares a state: part of the graph, so that the plan knows every state before it runs. */
export interface StateDescriptor<H = unknown> {
  readonly kind: StateKind;
  /** Version of the value's shape; a restore of another one needs `migrate`. Default 1. */
  readonly version: number;
  /** Makes a value of this version of one that an older version of the job had stored. */
  readonly migrate?: ((stored: never, version: number) => unknown) | undefined;
  /**
   * Says that values are changed in place after `get`, and copies one: a snapshot that still needs
   * the value as it was takes the copy. Without it values are not to be changed.
   */
  readonly copy?: ((value: never) => unknown) | undefined;
  readonly ttl?: StateTtl | undefined;
  /** Of a reducing state. */
  readonly reduce?: ((accumulator: never, value: never) => unknown) | undefined;
  /** Of an aggregating state. */
  readonly aggregation?:
    | {
        create(): unknown;
        add(accumulator: never, value: never): unknown;
        result(accumulator: never): unknown;
      }
    | undefined;
  /** Of the list of an operator without a key. */
  readonly redistribute?: Redistribution | undefined;
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

/** A map for each key, in the order of its keys. */
export interface SortedMapState<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): void;
  delete(key: K): void;
  /** Entries with `from ≤ key < to`, in order; a missing end is open. */
  range(from?: K, to?: K): Iterable<readonly [K, V]>;
  first(): readonly [K, V] | undefined;
  last(): readonly [K, V] | undefined;
  /** Deletes the entries with `from ≤ key < to`. */
  deleteRange(from?: K, to?: K): void;
  readonly size: number;
  clear(): void;
}

/** One value for each key, into which what is added is folded. */
export interface FoldingState<T, R> {
  /** What was added so far, folded; undefined when nothing was. */
  get(): R | undefined;
  add(value: T): void;
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
  /** No key is at hand until `setKey`: handles that are used throw `ERR_OUTSIDE_CALL`. */
  leave(): void;
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

/** A table that is state: its rows outlive the process by checkpoints. */
export interface StateTableSpec extends KeyTableSpec {
  /** What the cells mean, e.g. the aggregators: rows of another shape cannot be restored. */
  readonly shape: string;
  /** Numbers in a namespace. */
  readonly namespaceLength: number;
  /**
   * `first`: keys are tuples, of which the first component decides the key group: rows beside a
   * record's key that belong with it. Default: the key itself.
   */
  readonly keyedBy?: 'first' | undefined;
}

/**
 * Rows of accumulators by key, as columns side by side: generated code reads and writes
 * `numbers[slot * numberStride + i]` and `refs[slot * refStride + j]` without a call.
 *
 * Laws: a slot stays a key's own until `remove` or `clear`. `numbers`, `refs` and `marks` may be
 * replaced whenever a slot is made: read them anew after `slot`. Slots `0 … high − 1` for which
 * `isLive` are in use; without removals they are in the order of first use.
 *
 * Whoever changes a row that was there before says so first:
 * `if (table.marks[slot] < table.epoch) table.touch(slot)`. What `slot` has made needs no touch.
 * So a snapshot that still needs the row as it was can keep it.
 */
export interface KeyTable {
  numbers: Float64Array;
  refs: unknown[];
  /** When each row was last touched. */
  marks: Uint16Array;
  /** What `marks` has for rows touched since the last barrier; 0 where changes are not tracked. */
  epoch: number;
  readonly numberStride: number;
  readonly refStride: number;
  readonly high: number;
  readonly size: number;
  /** The key's slot, made with initial values when there is none. */
  slot(key: Key): number;
  /** The key's slot, or −1. */
  find(key: Key): number;
  /**
   * Finds or makes the rows of the keys `from` to `to` at once: into `slots`, from its start, goes
   * each one's slot, or `~slot` where its row has just been made. For loops over many keys, which
   * a call for each would make slow.
   */
  slotsOf(keys: readonly Key[], from: number, to: number, slots: Int32Array): void;
  /**
   * Finds or makes the rows of the keys that `other` has in its slots `from` to `to`: into `slots`,
   * from its start, goes the slot here, or −1 where the slot there is not in use.
   */
  slotsOfRows(other: KeyTable, from: number, to: number, slots: Int32Array): void;
  /** Writes the keys of the slots `from` to `to`, all of them in use, into `keys` from `at` on. */
  copyKeys(from: number, to: number, keys: Key[], at: number): void;
  /** The row is about to be changed. */
  touch(slot: number): void;
  isLive(slot: number): boolean;
  keyAt(slot: number): Key;
  remove(slot: number): void;
  /** Forgets all keys and keeps the memory for reuse. Not for tables that are state. */
  clear(): void;
}

/** Tables of one state: one for each namespace, e.g. for each slice of a window. */
export interface KeyTables {
  /**
   * Loads the rows of these keys that are outside memory; undefined when there are none. For
   * backends that keep rows elsewhere.
   *
   * @param keys of a batch, from `from` to `to`
   */
  prefetch?(
    table: KeyTable,
    keys: readonly Key[],
    from: number,
    to: number,
  ): Promise<void> | undefined;
  /**
   * The rows of a table that are outside memory, in pages of some hundred rows in a table that is
   * used again for each; a page does not change the state.
   */
  outsidePages?(table: KeyTable): AsyncIterator<KeyTable> | undefined;
  /** The namespace's table, made when there is none. */
  open(...namespace: readonly number[]): KeyTable;
  /** Forgets a namespace with all its rows; its table is not to be used any more. */
  drop(...namespace: readonly number[]): void;
  /** The namespaces there are, after a restore those of before, in no order. */
  namespaces(): Iterable<readonly number[]>;
}

/** A time for each key group: how far its windows have fired, also after a rescale. */
export interface KeyGroupTimes {
  /** The times of the subtask's key groups; −∞ at first. */
  readonly lowest: number;
  readonly highest: number;
  of(key: Key): number;
  /** Moves all key groups that are behind `timeMs` to it. */
  advance(timeMs: number): void;
}

/**
 * What an operator was told by a broadcast stream, as a map: every subtask has the same copy.
 * Iterates in the order in which its keys were set first.
 */
export interface ReadOnlyBroadcastState<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  entries(): Iterable<readonly [K, V]>;
  readonly size: number;
}

/** The same, for the function that takes the broadcast records. */
export interface BroadcastState<K, V> extends ReadOnlyBroadcastState<K, V> {
  set(key: K, value: V): void;
  delete(key: K): void;
  clear(): void;
}

/** Elements of one subtask of an operator without a key. */
export interface OperatorListState<T> {
  get(): readonly T[];
  add(value: T): void;
  set(values: readonly T[]): void;
}

/**
 * How the elements of an operator's list go to the subtasks of a restore. `split`: each goes to
 * one. `union`: each goes to all.
 */
export type Redistribution = 'split' | 'union';

/** The state of one subtask that is no key's; see {@link KeyedStateAccess}. */
export interface OperatorStateAccess {
  readonly handles: Readonly<Record<string, unknown>>;
  /** Handles may be used, as they may at first. */
  enter(): void;
  /** Until `enter`, handles that are used throw `ERR_OUTSIDE_CALL`. */
  leave(): void;
  begin(): void;
  rollback(): void;
}

/** What state needs to know of time, for its time to live. */
export interface StateTime {
  /** Of the record or event timer at hand, else the watermark; epoch ms, ±∞ where none is known. */
  recordMs(): number;
  /** How far event time has come for the record or timer at hand, epoch ms; −∞ at first. */
  watermarkMs(): number;
}

/** Makes the state of the operators of one subtask. */
export interface StateBackend {
  /**
   * Called between batches: moves rows out of memory where too many are in it. The engine waits for
   * the promise. Slots of state tables are the same before and after for rows that stay, and are
   * not to be kept across this call.
   */
  relieve?(): Promise<void> | undefined;
  /**
   * Asked once in a while, where there are checkpoints: so much is in memory that cannot leave
   * before it is in a snapshot that the next one is wanted ahead of time. The engine takes it as
   * soon as the minimum pause between two allows.
   */
  readonly needsBarrier?: boolean;
  /** Whether changes are tracked: generated code leaves `touch` out where they are not. */
  readonly tracksChanges: boolean;
  keyedState(
    operatorId: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
    time: StateTime & { processingMs(): number },
  ): KeyedStateAccess;
  /** Lists of an operator without a key, and broadcast state of any. */
  operatorState(
    operatorId: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
  ): OperatorStateAccess;
  keyTables(operatorId: string, state: string, spec: StateTableSpec): KeyTables;
  keyGroupTimes(operatorId: string, state: string): KeyGroupTimes;
  /** A table that is no state: for results in the making. */
  scratchTable(spec: KeyTableSpec): KeyTable;
}
