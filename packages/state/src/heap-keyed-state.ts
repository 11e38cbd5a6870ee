import { type Key, MillraceError } from '@millrace/core';
import type { KeyedStateAccess, StateDescriptor, TimerService } from '@millrace/core/spi';
import { HeapTimers } from './heap-timers.js';
import { KeyRows } from './key-rows.js';
import { HeapListState, HeapMapState, HeapValueState, type StateCell } from './state-handles.js';
import { UndoLog } from './undo-log.js';

/** The keyed state of one operator on the heap. */
export class HeapKeyedState implements KeyedStateAccess {
  readonly handles: Readonly<Record<string, unknown>>;
  readonly eventTimers: TimerService;
  readonly processingTimers: TimerService;
  private readonly rows = new KeyRows();
  private readonly undo = new UndoLog();

  constructor(descriptors: Readonly<Record<string, StateDescriptor>>) {
    this.handles = Object.fromEntries(
      Object.entries(descriptors).map(([name, descriptor]) => [
        name,
        handleOf(descriptor, this.cellOf(this.rows.addColumn())),
      ]),
    );
    this.eventTimers = new HeapTimers(this.rows, this.undo);
    this.processingTimers = new HeapTimers(this.rows, this.undo);
  }

  get keyCount(): number {
    return this.rows.size;
  }

  setKey(key: Key): void {
    this.rows.setKey(key);
  }

  begin(): void {
    this.undo.begin();
  }

  rollback(): void {
    this.undo.rollback();
  }

  private cellOf(column: number): StateCell {
    const { rows, undo } = this;
    return {
      get: () => rows.read(column),
      set: (value) => {
        if (undo.isOn) this.rememberBefore(column);
        rows.write(column, value);
      },
      beforeChange: (action) => undo.push(action),
    };
  }

  private rememberBefore(column: number): void {
    const { rows } = this;
    const key = rows.currentKey;
    const before = rows.read(column);
    this.undo.push(() => {
      rows.setKey(key);
      rows.write(column, before);
    });
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
