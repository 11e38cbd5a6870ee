import type { Key } from '@millrace/core';
import type { BlockSink } from './block-builder.js';
import type { ChangeTracker } from './change-tracker.js';
import { Frozen, type FrozenRows } from './frozen-rows.js';
import { GroupOrder, type StepResult } from './group-order.js';
import { KeyRemovals } from './key-removals.js';
import { stateLimits } from './limits.js';
import type { StateLayout } from './segment/block.js';

/** What a snapshot needs to know beside the rows. */
export interface RowsSnapshotSpec {
  readonly layout: StateLayout;
  readonly namespace: readonly number[];
  readonly groupCount: number;
  /** The key group of a row's key. */
  readonly groupOf: (key: Key) => number;
}

/** Where the frozen content of a row is. */
export interface RowPlace {
  readonly where: 'inPlace' | 'aside';
  /** Slot, or place among the rows kept aside. */
  readonly at: number;
  /** No earlier snapshot has anything of this key. */
  readonly isNew: boolean;
}

/** Writes the frozen content of rows into blocks. */
export interface RowWriter {
  /** Bytes of values written so far. */
  readonly bytes: number;
  write(place: RowPlace, group: number, key: Key, sink: BlockSink): void;
  /** Hands on the blocks that are not full. */
  flush(sink: BlockSink): void;
}

/**
 * Writes tracked rows as they were at a barrier, some in each step; between steps rows may change,
 * come and go in any way.
 */
export class RowsSnapshot {
  private readonly tracker: ChangeTracker;
  private readonly frozen: FrozenRows;
  private readonly spec: RowsSnapshotSpec;
  private readonly writer: RowWriter;
  private readonly removals: KeyRemovals;
  /** Made by the first step: a barrier does not wait for its memory. */
  private order: GroupOrder | undefined;
  private phase: 'begin' | 'removals' | 'order' | 'rows' = 'begin';
  private next = 0;

  constructor(
    tracker: ChangeTracker,
    frozen: FrozenRows,
    spec: RowsSnapshotSpec,
    writer: RowWriter,
  ) {
    this.tracker = tracker;
    this.frozen = frozen;
    this.spec = spec;
    this.writer = writer;
    this.removals = new KeyRemovals(frozen.removedKeys, spec);
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    switch (this.phase) {
      case 'begin':
        this.begin(sink);
        return 'more';
      case 'removals':
        if (this.removals.step(sink, rowsMax) === 'done') this.enter('order');
        return 'more';
      case 'order':
        this.order ??= this.newOrder();
        if (this.order.step(rowsMax) === 'done') this.enter('rows');
        return 'more';
      case 'rows':
        return this.writeRows(this.order!, sink, rowsMax);
    }
  }

  private enter(phase: 'removals' | 'order' | 'rows'): void {
    this.phase = phase;
    this.next = 0;
  }

  private newOrder(): GroupOrder {
    const { all, slots, count } = this.frozen;
    const slotAt = all ? (index: number) => index : (index: number) => slots[index]!;
    const groupOf = (slot: number): number => this.groupOfSlot(slot);
    return new GroupOrder(count, this.spec.groupCount, slotAt, groupOf);
  }

  private begin(sink: BlockSink): void {
    const { layout, namespace } = this.spec;
    if (this.frozen.all) sink.drop(sink.layout(layout), namespace);
    this.enter('removals');
  }

  private groupOfSlot(slot: number): number {
    const place = this.tracker.locate(slot);
    return place === Frozen.nowhere ? -1 : this.spec.groupOf(this.keyAt(slot, place));
  }

  private keyAt(slot: number, place: number): Key {
    return place === Frozen.inPlace
      ? this.tracker.keyAt(slot)
      : this.tracker.asideKeyAt(place, slot);
  }

  private writeRows(order: GroupOrder, sink: BlockSink, rowsMax: number): StepResult {
    const { tracker, writer } = this;
    const to = Math.min(order.length, this.next + rowsMax);
    const bytesMax = writer.bytes + stateLimits.blockBlobBytes;
    let i = this.next;
    for (; i < to && writer.bytes < bytesMax; i += 1) {
      const slot = order.slots[i]!;
      const place = tracker.locate(slot);
      const key = this.keyAt(slot, place);
      const group = this.spec.groupOf(key);
      if (place === Frozen.inPlace) {
        const isNew = tracker.wasBorn(slot);
        writer.write({ where: 'inPlace', at: slot, isNew }, group, key, sink);
      } else writer.write({ where: 'aside', at: place, isNew: false }, group, key, sink);
      tracker.encoded(slot);
    }
    this.next = i;
    if (i < order.length) return 'more';
    writer.flush(sink);
    return 'done';
  }
}
