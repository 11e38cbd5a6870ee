import { type Key, MillraceError } from '@millrace/core';
import type { KeyedStateAccess, StateDescriptor, TimerService } from '@millrace/core/spi';
import { HeapTimers } from './heap-timers.js';
import { KeyIndex } from './key-index.js';
import { HeapListState, HeapMapState, HeapValueState, type StateCell } from './state-handles.js';
import { UndoLog } from './undo-log.js';

/**
 * The keyed state of one operator on the heap: a row of cells for each key, so that all states of
 * a record's key are found by one look-up. A key whose cells are all empty has no row.
 */
export class HeapKeyedState implements KeyedStateAccess {
  readonly handles: Readonly<Record<string, unknown>>;
  readonly eventTimers: TimerService;
  readonly processingTimers: TimerService;
  private key: Key = '';
  /** Slot of the key; −2 when it has not been looked for, −1 when there is none. */
  private slot = -2;
  private readonly index = new KeyIndex();
  private readonly cells: unknown[][];
  private readonly undo = new UndoLog();

  constructor(descriptors: Readonly<Record<string, StateDescriptor>>) {
    const names = Object.keys(descriptors);
    this.cells = names.map(() => []);
    this.handles = Object.fromEntries(
      names.map((name, column) => [name, handleOf(descriptors[name]!, this.cellOf(column))]),
    );
    this.eventTimers = new HeapTimers(() => this.key, this.undo);
    this.processingTimers = new HeapTimers(() => this.key, this.undo);
  }

  get keyCount(): number {
    return this.index.size;
  }

  setKey(key: Key): void {
    this.key = key;
    this.slot = -2;
  }

  begin(): void {
    this.undo.begin();
  }

  rollback(): void {
    this.undo.rollback();
  }

  private cellOf(column: number): StateCell {
    return {
      get: () => this.read(column),
      set: (value) => {
        if (this.undo.isOn) this.rememberBefore(column);
        this.write(column, value);
      },
      beforeChange: (undo) => this.undo.push(undo),
    };
  }

  private rememberBefore(column: number): void {
    const { key } = this;
    const before = this.read(column);
    this.undo.push(() => {
      this.setKey(key);
      this.write(column, before);
    });
  }

  private find(): number {
    if (this.slot === -2) this.slot = this.index.find(this.key);
    return this.slot;
  }

  private read(column: number): unknown {
    const slot = this.find();
    return slot < 0 ? undefined : this.cells[column]![slot];
  }

  private write(column: number, value: unknown): void {
    let slot = this.find();
    if (slot < 0) {
      if (value === undefined) return;
      slot = this.index.insert(this.key);
      this.slot = slot;
    }
    this.cells[column]![slot] = value;
    if (value === undefined && this.isEmpty(slot)) {
      this.index.remove(slot);
      this.slot = -1;
    }
  }

  private isEmpty(slot: number): boolean {
    for (const cells of this.cells) if (cells[slot] !== undefined) return false;
    return true;
  }
}

function handleOf({ kind }: StateDescriptor, cell: StateCell): unknown {
  switch (kind) {
    case 'value':
      return new HeapValueState(cell);
    case 'list':
      return new HeapListState(cell);
    case 'map':
      return new HeapMapState(cell);
    case 'keyTable':
      throw new MillraceError('ERR_STATE_UNDECLARED', 'key tables have no handle of their own');
  }
}
