import { canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import type {
  Key,
  KeyGroupTimes,
  KeyTable,
  KeyTableSpec,
  KeyTables,
  StateTableSpec,
} from '@millrace/core/spi';

/**
 * A table as plain as can be, and as unkind as its laws allow: arrays are replaced whenever a slot is
 * made, and at each barrier rows that changed without `touch` are found out.
 */
export class PlainTable implements KeyTable {
  numbers = new Float64Array(0);
  refs: unknown[] = [];
  marks = new Uint16Array(0);
  epoch: number;
  high = 0;
  readonly numberStride: number;
  readonly refStride: number;
  private readonly slots = new Map<unknown, number>();
  private keys: (readonly [unknown] | undefined)[] = [];
  private free: number[] = [];
  private frozen = new Map<number, string>();
  private readonly spec: KeyTableSpec;

  constructor(spec: KeyTableSpec, tracking: 'tracked' | 'untracked' = 'untracked') {
    this.spec = spec;
    this.numberStride = spec.numbers.length;
    this.refStride = spec.refs.length;
    this.epoch = tracking === 'tracked' ? 1 : 0;
  }

  get size(): number {
    return this.slots.size;
  }

  find(key: Key): number {
    return this.slots.get(canonicalKey(key)) ?? -1;
  }

  slot(key: Key): number {
    const found = this.find(key);
    if (found >= 0) return found;
    const { numberStride: ns, refStride: rs } = this;
    const slot = this.free.pop() ?? this.high++;
    this.slots.set(canonicalKey(key), slot);
    this.keys[slot] = [canonicalKey(key)];
    const numbers = new Float64Array(this.high * ns);
    numbers.set(this.numbers.subarray(0, numbers.length));
    numbers.set(this.spec.numbers, slot * ns);
    const marks = new Uint16Array(this.high);
    marks.set(this.marks.subarray(0, this.high));
    marks[slot] = this.epoch;
    const refs = this.refs.slice();
    for (const [j, create] of this.spec.refs.entries()) refs[slot * rs + j] = create();
    // What still writes into the old arrays has not read them anew.
    this.numbers.fill(Number.NaN);
    this.refs.fill('stale');
    Object.assign(this, { numbers, marks, refs });
    return slot;
  }

  slotsOf(keys: readonly Key[], from: number, to: number, slots: Int32Array): void {
    for (let i = from; i < to; i += 1) {
      const found = this.find(keys[i]!);
      slots[i - from] = found < 0 ? ~this.slot(keys[i]!) : found;
    }
  }

  slotsOfRows(other: KeyTable, from: number, to: number, slots: Int32Array): void {
    for (let row = from; row < to; row += 1) {
      slots[row - from] = other.isLive(row) ? this.slot(other.keyAt(row)) : -1;
    }
  }

  copyKeys(from: number, to: number, keys: Key[], at: number): void {
    for (let slot = from; slot < to; slot += 1) keys[at + slot - from] = this.keyAt(slot);
  }

  touch(slot: number): void {
    this.marks[slot] = this.epoch;
  }

  isLive(slot: number): boolean {
    return this.keys[slot] !== undefined;
  }

  keyAt(slot: number): Key {
    return keyOfCanonical(this.keys[slot]![0] as never);
  }

  remove(slot: number): void {
    this.slots.delete(this.keys[slot]![0]);
    this.keys[slot] = undefined;
    this.free.push(slot);
    this.frozen.delete(slot);
  }

  clear(): void {
    this.slots.clear();
    this.keys = [];
    this.free = [];
    this.high = 0;
  }

  /** A barrier: a new epoch begins. */
  freeze(): void {
    for (const [slot, text] of this.frozen) {
      if (this.marks[slot]! < this.epoch && this.textOf(slot) !== text) {
        throw new Error(`the row of ${String(this.keyAt(slot))} changed without a touch`);
      }
    }
    this.epoch += 1;
    this.frozen = new Map();
    for (let slot = 0; slot < this.high; slot += 1) {
      if (this.isLive(slot)) this.frozen.set(slot, this.textOf(slot));
    }
  }

  private textOf(slot: number): string {
    const { numberStride: ns, refStride: rs } = this;
    const numbers = [...this.numbers.slice(slot * ns, (slot + 1) * ns)].map(String);
    const refs = this.refs.slice(slot * rs, (slot + 1) * rs);
    const plain = (_name: string, value: unknown) => (value instanceof Set ? [...value] : value);
    return JSON.stringify([canonicalKey(this.keyAt(slot)), numbers, refs], plain);
  }
}

/** State of one operator, which another instance may go on with. */
export class PlainState {
  readonly specs = new Map<string, StateTableSpec>();
  private readonly tables = new Map<string, Map<string, PlainTable>>();
  private readonly times = new Map<string, KeyGroupTimes>();

  keyTables(state: string, spec: StateTableSpec): KeyTables {
    this.specs.set(state, spec);
    const tables = this.tables.get(state) ?? new Map<string, PlainTable>();
    this.tables.set(state, tables);
    return {
      open(...namespace) {
        const id = namespace.join();
        const table = tables.get(id) ?? new PlainTable(spec, 'tracked');
        tables.set(id, table);
        return table;
      },
      drop: (...namespace) => void tables.delete(namespace.join()),
      namespaces: () =>
        [...tables.keys()].map((id) => (id === '' ? [] : id.split(',').map(Number))),
    };
  }

  keyGroupTimes(state: string): KeyGroupTimes {
    const time = {
      lowest: -Infinity,
      highest: -Infinity,
      of: () => time.highest,
      advance(timeMs: number): void {
        time.highest = Math.max(time.highest, timeMs);
        time.lowest = time.highest;
      },
    };
    const found = this.times.get(state) ?? time;
    this.times.set(state, found);
    return found;
  }

  freeze(): void {
    for (const tables of this.tables.values()) for (const table of tables.values()) table.freeze();
  }
}
