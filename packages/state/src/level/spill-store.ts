/** One change of a store; `key` and `value` are the store's own from then on. */
export type SpillOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/**
 * Where rows go that do not fit in memory: an ordered store of bytes by bytes. It is scratch: what
 * it holds is of no use to anybody once it is closed, so nothing need be synced.
 *
 * Laws: what `write` has resolved is seen by every read that begins afterwards; what it has not
 * resolved yet may be seen or not. Writes are given one at a time.
 */
export interface SpillStore {
  /** Called once ahead of everything else; empties what is there. */
  open(): Promise<void>;
  /** Called once; nothing else is called afterwards. */
  close(): Promise<void>;
  /** The value, or undefined. Blocks the thread. */
  getSync(key: Uint8Array): Uint8Array | undefined;
  /** The values in the order of the keys. */
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** All of them, or none; later ones win. */
  write(operations: readonly SpillOperation[]): Promise<void>;
  /** Deletes `from ≤ key < to`; may take long, and runs beside writes to other keys. */
  clear(range: SpillRange): Promise<void>;
  /** `from ≤ key < to` in order, as it is when the first page is asked for. */
  pages(range: SpillRange, rowsMax: number): AsyncIterator<readonly SpillEntry[]>;
}

export interface SpillRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export type SpillEntry = readonly [key: Uint8Array, value: Uint8Array];
