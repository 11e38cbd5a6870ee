import type {
  FoldingState,
  ListState,
  StateAggregation,
  StateDescriptor,
  ValueState,
} from '@millrace/core/spi';
import type { Expiry } from './expiry.js';
import { ListCell, withoutExpired } from './list-kind.js';
import type { StateCell } from './state-cell.js';
import { Stamped } from './value-kind.js';

/** What a handle works on. */
export interface HandleParts {
  readonly cell: StateCell;
  readonly descriptor: StateDescriptor;
  readonly expiry: Expiry | undefined;
  readonly tracking: 'tracked' | 'untracked';
}

/** The value in a cell, with its time to live where it has one. */
class ValueCell {
  private readonly cell: StateCell;
  private readonly expiry: Expiry | undefined;
  private readonly copy: ((value: unknown) => unknown) | undefined;

  constructor({ cell, descriptor, expiry }: HandleParts) {
    this.cell = cell;
    this.expiry = expiry;
    this.copy = descriptor.copy as ((value: unknown) => unknown) | undefined;
  }

  get(): unknown {
    const found = this.cell.get();
    if (found === undefined) return undefined;
    const { expiry, copy } = this;
    // Ahead of a refresh: undone backwards, the copy is what is put back last.
    if (copy !== undefined) this.giveOut(found, copy);
    return expiry === undefined ? found : this.living(found as Stamped, expiry);
  }

  set(value: unknown): void {
    const { cell, expiry } = this;
    cell.set(expiry === undefined || value === undefined ? value : stamped(value, expiry));
  }

  private living(found: Stamped, expiry: Expiry): unknown {
    if (expiry.hasExpired(found.stampMs) && expiry.hidesExpired) {
      this.cell.set(undefined);
      return undefined;
    }
    if (expiry.refreshesOnRead) {
      const stampMs = expiry.refreshed(found.stampMs);
      if (!Object.is(stampMs, found.stampMs)) this.cell.set(new Stamped(found.value, stampMs));
    }
    return found.value;
  }

  /** The author may change the value in place. */
  private giveOut(found: unknown, copy: (value: unknown) => unknown): void {
    const { cell, expiry } = this;
    cell.touch();
    if (!cell.isUndoable) return;
    const before =
      expiry === undefined
        ? copy(found)
        : new Stamped(copy((found as Stamped).value), (found as Stamped).stampMs);
    cell.onUndo(() => cell.set(before));
  }
}

const stamped = (value: unknown, expiry: Expiry): Stamped => new Stamped(value, expiry.stamp());

export class HeapValueState implements ValueState<unknown> {
  private readonly cell: ValueCell;

  constructor(parts: HandleParts) {
    this.cell = new ValueCell(parts);
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

/** Reducing and aggregating states: a value into which what is added is folded. */
export class HeapFoldingState implements FoldingState<unknown, unknown> {
  private readonly cell: ValueCell;
  private readonly aggregation: StateAggregation;

  constructor(parts: HandleParts, aggregation: StateAggregation) {
    this.cell = new ValueCell(parts);
    this.aggregation = aggregation;
  }

  get(): unknown {
    const accumulator = this.cell.get();
    return accumulator === undefined ? undefined : this.aggregation.result(accumulator);
  }

  add(value: unknown): void {
    const { aggregation, cell } = this;
    const before = cell.get();
    cell.set(aggregation.add(before === undefined ? aggregation.create() : before, value));
  }

  clear(): void {
    this.cell.set(undefined);
  }
}

/** A reduction as an aggregation: the first value is the accumulator. */
export function reduction(
  reduce: (accumulator: unknown, value: unknown) => unknown,
): StateAggregation {
  return {
    create: () => undefined,
    add: (accumulator, value) => (accumulator === undefined ? value : reduce(accumulator, value)),
    result: (accumulator) => accumulator,
  };
}

const noElements: readonly unknown[] = Object.freeze([]);

export class HeapListState implements ListState<unknown> {
  private readonly cell: StateCell;
  private readonly expiry: Expiry | undefined;
  private readonly copy: ((value: unknown) => unknown) | undefined;

  constructor({ cell, expiry, descriptor }: HandleParts) {
    this.cell = cell;
    this.expiry = expiry;
    this.copy = descriptor.copy as ((value: unknown) => unknown) | undefined;
  }

  get(): readonly unknown[] {
    const stored = this.cell.get() as ListCell | undefined;
    if (stored === undefined) return noElements;
    // Ahead of a refresh: undone backwards, the copies are what is put back last.
    if (this.copy !== undefined) this.giveOut(stored, this.copy);
    const list = this.living(stored);
    if (list === undefined) return noElements;
    // A copy: what the author keeps must not grow with the state.
    return [...list.elements];
  }

  add(value: unknown): void {
    const { cell, expiry } = this;
    const list = cell.get() as ListCell | undefined;
    if (list === undefined) {
      this.set([value]);
      return;
    }
    cell.touch();
    cell.weigh(1);
    if (cell.isUndoable) {
      const { length } = list.elements;
      cell.onUndo(() => {
        list.elements.length = length;
        if (list.stamps !== undefined) list.stamps.length = length;
        cell.weigh(-1);
      });
    }
    list.elements.push(value);
    list.stamps?.push(expiry!.stamp());
  }

  set(values: readonly unknown[]): void {
    const { cell, expiry } = this;
    const stamps = expiry && values.map(() => expiry.stamp());
    cell.set(values.length === 0 ? undefined : new ListCell([...values], stamps));
  }

  clear(): void {
    this.cell.set(undefined);
  }

  private living(list: ListCell): ListCell | undefined {
    const { cell, expiry } = this;
    if (expiry === undefined) return list;
    const left = expiry.hidesExpired ? withoutExpired(list, expiry) : list;
    if (left !== list) cell.set(left);
    if (left === undefined || !expiry.refreshesOnRead) return left;
    const stamps = left.stamps!.map((stampMs) => expiry.refreshed(stampMs));
    if (stamps.every((stampMs, i) => Object.is(stampMs, left.stamps![i]))) return left;
    // Elements of its own: what is kept of the other one ends where it ended.
    const fresh = new ListCell([...left.elements], stamps);
    cell.set(fresh);
    return fresh;
  }

  /** The author may change elements in place. */
  private giveOut(list: ListCell, copy: (value: unknown) => unknown): void {
    const { cell } = this;
    cell.touch();
    if (!cell.isUndoable) return;
    const before = list.elements.map((element) => copy(element));
    cell.onUndo(() => {
      for (const [i, element] of before.entries()) list.elements[i] = element;
    });
  }
}
