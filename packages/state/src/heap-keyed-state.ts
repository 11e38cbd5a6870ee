import type { Key } from '@millrace/core';
import type { KeyedStateAccess, StateDescriptor } from '@millrace/core/spi';
import { CellColumn, type CellColumnParts } from './cell-column.js';
import type { CellKind } from './cell-kind.js';
import { Expiry, type OperatorTime } from './expiry.js';
import { HeapTimers } from './heap-timers.js';
import { KeyRows } from './key-rows.js';
import { stateLimits } from './limits.js';
import { StateCell } from './state-cell.js';
import { handleOf, kindOf } from './state-kinds.js';
import type { StatePart } from './state-part.js';
import { UndoLog } from './undo-log.js';

export interface HeapKeyedStateParts
  extends Pick<CellColumnParts, 'operator' | 'tracking' | 'groupCount' | 'groupOf'> {
  readonly descriptors: Readonly<Record<string, StateDescriptor>>;
  readonly time: OperatorTime;
}

/** The keyed state of one operator on the heap. */
export class HeapKeyedState implements KeyedStateAccess {
  readonly handles: Readonly<Record<string, unknown>>;
  readonly eventTimers: HeapTimers;
  readonly processingTimers: HeapTimers;
  /** By state, in the order of their declaration; timers come after the states. */
  readonly columns: StatePart[] = [];
  private readonly parts: HeapKeyedStateParts;
  private readonly rows: KeyRows;
  private readonly undo = new UndoLog();
  private readonly expires: boolean;
  private sweepAt = 0;

  constructor(parts: HeapKeyedStateParts) {
    const { descriptors, time, tracking } = parts;
    this.parts = parts;
    this.rows = new KeyRows(parts.operator);
    this.expires = Object.values(descriptors).some(({ ttl }) => ttl !== undefined);
    this.handles = Object.fromEntries(
      Object.entries(descriptors).map(([name, descriptor]) => {
        const expiry = descriptor.ttl && new Expiry(descriptor.ttl, time);
        const { version, migrate, ttl } = descriptor;
        const stamps = ttl?.time ?? 'none';
        const kind = kindOf(descriptor, expiry, tracking);
        const column = this.addColumn(name, { version, migrate, stamps }, kind);
        const cell = new StateCell(this.rows, column, this.undo);
        return [name, handleOf({ cell, descriptor, expiry, tracking })];
      }),
    );
    this.eventTimers = this.timers('event');
    this.processingTimers = this.timers('processing');
  }

  get keyCount(): number {
    return this.rows.size;
  }

  get bytes(): number {
    return this.rows.bytes + this.eventTimers.deletedBytes + this.processingTimers.deletedBytes;
  }

  setKey(key: Key): void {
    this.rows.setKey(key);
    if (this.expires) this.sweep();
  }

  leave(): void {
    this.rows.leaveKey();
  }

  begin(): void {
    this.undo.begin();
  }

  rollback(): void {
    this.undo.rollback();
  }

  private timers(kind: 'event' | 'processing'): HeapTimers {
    return new HeapTimers(this.rows, this.undo, (name, cells) =>
      this.addColumn(`timers.${kind}.${name}`, { version: 1 }, cells),
    );
  }

  private addColumn(
    state: string,
    {
      version,
      migrate,
      stamps,
    }: Pick<StateDescriptor, 'version' | 'migrate'> & Pick<StatePart, 'stamps'>,
    kind: CellKind,
  ): number {
    const migrates = migrate !== undefined;
    const { operator, tracking, groupCount, groupOf } = this.parts;
    const shape = { state, version, migrates, stamps };
    return this.rows.addColumn((rows) => {
      const parts = { operator, tracking, groupCount, groupOf, ...shape, ...rows };
      const column = new CellColumn(kind, parts);
      this.columns.push(column);
      return column;
    });
  }

  /** Removes what has expired in a few rows, so that what nobody asks for goes as well. */
  private sweep(): void {
    const { rows } = this;
    for (let i = 0; i < stateLimits.ttlSweepRows; i += 1) {
      if (this.sweepAt >= rows.high) this.sweepAt = 0;
      if (rows.sweepAt(this.sweepAt)) this.sweepAt += 1;
    }
  }
}
