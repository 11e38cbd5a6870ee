import type { SpillEntry, SpillOperation, SpillRange, SpillStore } from './spill-store.js';

export interface MemorySpillStoreOptions {
  /**
   * Says when something begun is done: called with what completes it, in the order of the calls.
   * Default: as a microtask.
   */
  readonly schedule?: ((complete: () => void) => void) | undefined;
}

/** A store in memory, for simulations: what is written shows when it completes, not before. */
export class MemorySpillStore implements SpillStore {
  private readonly entries = new Map<string, SpillEntry>();
  private readonly schedule: (complete: () => void) => void;

  constructor({ schedule = queueMicrotask }: MemorySpillStoreOptions = {}) {
    this.schedule = schedule;
  }

  /** Entries there are. */
  get size(): number {
    return this.entries.size;
  }

  async open(): Promise<void> {
    this.entries.clear();
  }

  async close(): Promise<void> {
    this.entries.clear();
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.entries.get(idOf(key))?.[1];
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.later(() => keys.map((key) => this.getSync(key)));
  }

  write(operations: readonly SpillOperation[]): Promise<void> {
    return this.later(() => {
      for (const operation of operations) {
        const { key } = operation;
        if (operation.type === 'put') this.entries.set(idOf(key), [key, operation.value]);
        else this.entries.delete(idOf(key));
      }
    });
  }

  clear(range: SpillRange): Promise<void> {
    return this.later(() => {
      for (const id of this.idsIn(range)) this.entries.delete(id);
    });
  }

  async *pages(range: SpillRange, rowsMax: number): AsyncGenerator<readonly SpillEntry[]> {
    const rows = this.idsIn(range).map((id) => this.entries.get(id)!);
    for (let from = 0; from < rows.length; from += rowsMax) {
      yield await this.later(() => rows.slice(from, from + rowsMax));
    }
  }

  private later<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => this.schedule(() => resolve(work())));
  }

  private idsIn({ from, to }: SpillRange): string[] {
    const [first, end] = [idOf(from), idOf(to)];
    return [...this.entries.keys()].filter((id) => first <= id && id < end).sort();
  }
}

/** Bytes as a text that sorts as they do. */
const idOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
