import type { Key } from '@millrace/core';
import type { KeyGroupRange } from '@millrace/core/internal';
import type { BlockSink } from './block-builder.js';
import { type CellExtent, type CellKind, CellOutput, type CellRow } from './cell-kind.js';
import { ChangeTracker, type TrackedRows } from './change-tracker.js';
import type { FrozenRows } from './frozen-rows.js';
import type { StepResult } from './group-order.js';
import { stateLimits } from './limits.js';
import type { RowPlace } from './rows-snapshot.js';
import { RowsSnapshot } from './rows-snapshot.js';
import type { StateLayout } from './segment/block.js';
import { isInGroups, type StampTime, type StatePart, type StoredBlock } from './state-part.js';

/** What a column needs to know of its operator. */
export interface CellColumnParts {
  readonly operator: string;
  readonly state: string;
  readonly version: number;
  readonly migrates: boolean;
  readonly stamps: StampTime | undefined;
  readonly tracking: 'tracked' | 'untracked';
  readonly groupCount: number;
  readonly groupOf: (key: Key) => number;
  readonly keyAt: (slot: number) => Key;
  /** The slot of a key's row, made if need be; for loading. */
  readonly slotOf: (key: Key) => number;
  /** The cell was emptied while loading: its row may go. */
  readonly emptied: (slot: number) => void;
}

/** The cells of one state, by the slots of their keys. */
export class CellColumn implements TrackedRows, StatePart {
  readonly cells: unknown[] = [];
  readonly layout: StateLayout;
  readonly migrates: boolean;
  readonly stamps: StampTime | undefined;
  private readonly changes: ChangeTracker | undefined;
  private readonly kind: CellKind;
  /** Whether cells may have other than one entry. */
  private readonly weighs: boolean;
  private readonly parts: CellColumnParts;
  private aside: unknown[] = [];
  private frozen: FrozenRows | undefined;
  private snapshot: RowsSnapshot | undefined;
  readonly alternates = true;
  /** Filled cells. */
  private count = 0;
  /** What cells have beyond one entry each. */
  private extraEntries = 0;

  constructor(kind: CellKind, parts: CellColumnParts) {
    const { operator, state, version } = parts;
    this.kind = kind;
    this.weighs = kind.weightOf !== undefined;
    this.parts = parts;
    this.migrates = parts.migrates;
    this.stamps = parts.stamps;
    this.layout = { operator, state, version, shape: '', ...kind.layout };
    this.changes = parts.tracking === 'tracked' ? new ChangeTracker(this) : undefined;
  }

  get bytes(): number {
    return (this.count + this.extraEntries) * cellBytes;
  }

  /**
   * Where cells have many entries, the share of cells that changed says nothing of how much would be
   * written in vain: one entry of a map with a million makes it a changed cell.
   */
  get rewriteShare(): number {
    const hasManyEach =
      this.kind.writesEntries === true &&
      this.extraEntries > stateLimits.wholeCellEntriesMax * this.count;
    return hasManyEach ? Infinity : stateLimits.rewriteShare;
  }

  /** Puts a value into a cell, or empties it with undefined. */
  put(slot: number, value: unknown): void {
    const before = this.cells[slot];
    if (this.changes !== undefined) this.track(this.changes, slot, before, value);
    if (before === undefined) this.count += 1;
    if (value === undefined) this.count -= 1;
    if (this.weighs) this.weigh(this.weightOf(value) - this.weightOf(before));
    this.cells[slot] = value;
  }

  /** What is in a filled cell has changed by some entries. */
  weigh(difference: number): void {
    this.extraEntries += difference;
  }

  /** What is in a filled cell is about to be changed in place. */
  touch(slot: number): void {
    const { changes } = this;
    if (changes !== undefined && changes.marks[slot]! < changes.epoch) changes.touch(slot);
  }

  isLive(slot: number): boolean {
    return this.cells[slot] !== undefined;
  }

  keyAt(slot: number): Key {
    return this.parts.keyAt(slot);
  }

  keepAside(slot: number, at: number): void {
    this.aside[at] = this.kind.keep(this.cells[slot], this.extentOf(this.changes!.wasBorn(slot)));
  }

  forgetAside(): void {
    this.aside = [];
  }

  freeze(): void {
    const { changes, layout } = this;
    if (changes?.hasChanges !== true) return;
    const frozen = changes.freeze(this.cells.length, this.count);
    const out = new CellOutput(layout);
    const { groupCount, groupOf } = this.parts;
    const spec = { layout, namespace: [], groupCount, groupOf };
    this.frozen = frozen;
    this.snapshot = new RowsSnapshot(changes, frozen, spec, {
      get bytes() {
        return out.bytes;
      },
      write: ({ where, at, isNew }: RowPlace, group, key, sink) => {
        out.writeTo(sink);
        const cell: CellRow = { group, key, isNew: isNew || frozen.all, out };
        if (where === 'aside') this.kind.writeKept(this.aside[at], cell);
        else this.kind.write(this.cells[at], cell, this.extentOf(isNew));
      },
      flush: (sink) => {
        out.writeTo(sink);
        out.flush();
      },
    });
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    if (this.snapshot === undefined) return 'done';
    if (this.snapshot.step(sink, rowsMax) === 'more') return 'more';
    this.end('encoded');
    return 'done';
  }

  abandon(): void {
    if (this.snapshot !== undefined) this.end('lost');
    this.rewrite();
  }

  rewrite(): void {
    this.changes?.lose();
  }

  load(block: StoredBlock): void {
    const { kind, columns } = block;
    if (kind === 'drop') {
      this.loadDrop(block.chainGroups);
      return;
    }
    for (let row = 0; row < columns.count; row += 1) {
      const slot = this.parts.slotOf(columns.keys[row]!);
      const before = this.cells[slot];
      if (this.weighs) this.weigh(-this.weightOf(before));
      const cell =
        kind === 'keyRemovals' ? undefined : this.kind.load(before, block, { row, slot });
      if (this.weighs) this.weigh(this.weightOf(cell));
      this.restore(slot, cell);
    }
  }

  /** Removes some of what has expired in a cell; false: not all of it has been looked at. */
  sweep(slot: number): boolean {
    const cell = this.cells[slot];
    if (cell === undefined || this.kind.sweep === undefined) return true;
    const weight = this.kind.weightOf?.(cell) ?? 0;
    const { left, isDone } = this.kind.sweep(cell, () => this.touch(slot));
    // What went in place went before the cell is replaced or emptied.
    this.weigh((this.kind.weightOf?.(cell) ?? 0) - weight);
    if (left !== cell) this.put(slot, left);
    return isDone;
  }

  private loadDrop(groups: KeyGroupRange | undefined): void {
    for (let slot = 0; slot < this.cells.length; slot += 1) {
      const cell = this.cells[slot];
      if (cell === undefined || !isInGroups(this.parts.groupOf(this.keyAt(slot)), groups)) continue;
      if (this.weighs) this.weigh(-this.weightOf(cell));
      this.restore(slot, undefined);
    }
  }

  /** A cell that is new, or was emptied and filled again, has lost what was written of it. */
  private extentOf(wasBorn: boolean): CellExtent {
    return wasBorn || this.frozen!.all ? 'all' : 'changes';
  }

  private weightOf(cell: unknown): number {
    return cell === undefined ? 0 : this.kind.weightOf!(cell) - 1;
  }

  /** Puts in a cell what a snapshot has: nothing has changed by it. */
  private restore(slot: number, value: unknown): void {
    const before = this.cells[slot];
    if (before === undefined && value !== undefined) this.count += 1;
    if (before !== undefined && value === undefined) this.count -= 1;
    this.cells[slot] = value;
    this.changes?.leaveFresh();
    this.changes?.grow(slot + 1);
    if (value === undefined) this.parts.emptied(slot);
  }

  private track(changes: ChangeTracker, slot: number, before: unknown, value: unknown): void {
    if (before === undefined) {
      if (value === undefined) return;
      changes.grow(slot + 1);
      changes.born(slot);
    } else if (value === undefined) changes.gone(slot);
    else this.touch(slot);
  }

  private end(outcome: 'encoded' | 'lost'): void {
    this.snapshot = undefined;
    this.changes!.release(outcome);
  }
}

/** Estimate for a cell of user values: the value itself, its place, what the row takes. */
const cellBytes = 160;
