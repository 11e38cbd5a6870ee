import type { Key } from '@millrace/core';
import { BlockBuilder, type BlockSink } from './block-builder.js';
import { type ChangeTracker, Frozen, type FrozenRows } from './change-tracker.js';
import { GroupOrder, type StepResult } from './group-order.js';
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
  private readonly order: GroupOrder;
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
    const slotAt = frozen.all ? (index: number) => index : (index: number) => frozen.slots[index]!;
    const groupOf = (slot: number): number => this.groupOfSlot(slot);
    this.order = new GroupOrder(frozen.count, spec.groupCount, slotAt, groupOf);
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    switch (this.phase) {
      case 'begin':
        this.begin(sink);
        return 'more';
      case 'removals':
        if (this.writeRemovals(sink, rowsMax) === 'done') this.enter('order');
        return 'more';
      case 'order':
        if (this.order.step(rowsMax) === 'done') this.enter('rows');
        return 'more';
      case 'rows':
        return this.writeRows(sink, rowsMax);
    }
  }

  private enter(phase: 'removals' | 'order' | 'rows'): void {
    this.phase = phase;
    this.next = 0;
  }

  private begin(sink: BlockSink): void {
    const { layout, namespace } = this.spec;
    if (this.frozen.all) sink.drop(sink.layout(layout), namespace);
    this.enter('removals');
  }

  private writeRemovals(sink: BlockSink, rowsMax: number): StepResult {
    const { layout, namespace, groupOf } = this.spec;
    const { removedKeys } = this.frozen;
    const to = Math.min(removedKeys.length, this.next + rowsMax);
    const removals = new BlockBuilder(layout, 'keyRemovals');
    const keys = removedKeys.slice(this.next, to).map((key) => ({ key, group: groupOf(key) }));
    keys.sort((a, b) => a.group - b.group);
    for (const { key, group } of keys) {
      removals.row(group, key);
      if (removals.isFull) removals.flush(sink, namespace);
    }
    removals.flush(sink, namespace);
    this.next = to;
    return to < removedKeys.length ? 'more' : 'done';
  }

  private groupOfSlot(slot: number): number {
    const place = this.tracker.locate(slot);
    return place === Frozen.nowhere ? -1 : this.spec.groupOf(this.keyAt(slot, place));
  }

  private keyAt(slot: number, place: number): Key {
    return place === Frozen.inPlace ? this.tracker.keyAt(slot) : this.frozen.asideKeys[place]!;
  }

  private writeRows(sink: BlockSink, rowsMax: number): StepResult {
    const { order, tracker, writer } = this;
    const to = Math.min(order.length, this.next + rowsMax);
    for (let i = this.next; i < to; i += 1) {
      const slot = order.slots[i]!;
      const place = tracker.locate(slot);
      // A slot that was listed twice is gone the second time.
      if (place === Frozen.nowhere) continue;
      const key = this.keyAt(slot, place);
      const group = this.spec.groupOf(key);
      if (place === Frozen.inPlace) {
        const isNew = tracker.wasBorn(slot);
        writer.write({ where: 'inPlace', at: slot, isNew }, group, key, sink);
      } else writer.write({ where: 'aside', at: place, isNew: false }, group, key, sink);
      tracker.encoded(slot);
    }
    this.next = to;
    if (to < order.length) return 'more';
    writer.flush(sink);
    return 'done';
  }
}
