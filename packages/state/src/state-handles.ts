import type { ListState, MapState, ValueState } from '@millrace/core/spi';

/** One state's value of the current key, wherever the backend keeps it. */
export interface StateCell {
  get(): unknown;
  /** Undefined clears it. */
  set(value: unknown): void;
  /** Called ahead of a change inside the value, with how to undo it. */
  beforeChange(undo: () => void): void;
}

export class HeapValueState implements ValueState<unknown> {
  private readonly cell: StateCell;

  constructor(cell: StateCell) {
    this.cell = cell;
  }

  get(): unknown {
    return this.cell.get();
  }

  set(value: unknown): void {
    this.cell.set(value);
  }

  clear(): void {
    this.cell.set(undefined);
  }
}

const noElements: readonly unknown[] = Object.freeze([]);

export class HeapListState implements ListState<unknown> {
  private readonly cell: StateCell;

  constructor(cell: StateCell) {
    this.cell = cell;
  }

  get(): readonly unknown[] {
    // A copy: what the author keeps must not grow with the state.
    const list = this.cell.get() as unknown[] | undefined;
    return list === undefined ? noElements : [...list];
  }

  add(value: unknown): void {
    const list = this.cell.get() as unknown[] | undefined;
    if (list === undefined) {
      this.cell.set([value]);
      return;
    }
    const length = list.length;
    this.cell.beforeChange(() => {
      list.length = length;
    });
    list.push(value);
  }

  set(values: readonly unknown[]): void {
    this.cell.set(values.length === 0 ? undefined : [...values]);
  }

  clear(): void {
    this.cell.set(undefined);
  }
}

export class HeapMapState implements MapState<unknown, unknown> {
  private readonly cell: StateCell;

  constructor(cell: StateCell) {
    this.cell = cell;
  }

  get size(): number {
    return this.map()?.size ?? 0;
  }

  get(key: unknown): unknown {
    return this.map()?.get(key);
  }

  has(key: unknown): boolean {
    return this.map()?.has(key) ?? false;
  }

  set(key: unknown, value: unknown): void {
    let map = this.map();
    if (map === undefined) {
      map = new Map();
      this.cell.set(map);
    }
    this.rememberEntry(map, key);
    map.set(key, value);
  }

  delete(key: unknown): void {
    const map = this.map();
    if (map === undefined || !map.has(key)) return;
    if (map.size === 1) {
      this.cell.set(undefined);
      return;
    }
    this.rememberEntry(map, key);
    map.delete(key);
  }

  *entries(): Iterable<readonly [unknown, unknown]> {
    yield* this.map()?.entries() ?? [];
  }

  clear(): void {
    this.cell.set(undefined);
  }

  private map(): Map<unknown, unknown> | undefined {
    return this.cell.get() as Map<unknown, unknown> | undefined;
  }

  private rememberEntry(map: Map<unknown, unknown>, key: unknown): void {
    if (!map.has(key)) {
      this.cell.beforeChange(() => map.delete(key));
      return;
    }
    const before = map.get(key);
    this.cell.beforeChange(() => map.set(key, before));
  }
}
