import type { BlockSink } from './block-builder.js';
import { encodedMark, type FrozenRows, pendingMark } from './change-tracker.js';
import type { GroupBuckets } from './group-buckets.js';
import type { StepResult } from './group-order.js';
import type { HeapKeyTable } from './heap-key-table.js';
import { SlotKind } from './key-index.js';
import { KeyRemovals } from './key-removals.js';
import type { RowsSnapshotSpec } from './rows-snapshot.js';

/** Below this share of changed rows a list of them is followed; above it all marks are read. */
const scanShare = 1 / 8;

/**
 * Writes the rows of a table of numbers as they were at a barrier. It reads them in the order in
 * which they lie in memory: in any other, waiting for memory would take most of the time.
 */
export class NumberTableSnapshot {
  private readonly table: HeapKeyTable;
  private readonly frozen: FrozenRows;
  private readonly spec: RowsSnapshotSpec;
  private readonly buckets: GroupBuckets;
  private readonly removals: KeyRemovals;
  private readonly scans: boolean;
  private phase: 'begin' | 'removals' | 'rows' = 'begin';
  private next = 0;

  constructor(
    table: HeapKeyTable,
    frozen: FrozenRows,
    spec: RowsSnapshotSpec,
    buckets: GroupBuckets,
  ) {
    this.table = table;
    this.frozen = frozen;
    this.spec = spec;
    this.buckets = buckets;
    this.removals = new KeyRemovals(frozen.removedKeys, spec);
    this.scans = frozen.all || frozen.count > frozen.high * scanShare;
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    const { layout, namespace } = this.spec;
    switch (this.phase) {
      case 'begin':
        this.buckets.begin(this.table.hasIntegerKeysOnly ? 'integers' : 'bytes');
        if (this.frozen.all) sink.drop(sink.layout(layout), namespace);
        this.phase = 'removals';
        return 'more';
      case 'removals':
        if (this.removals.step(sink, rowsMax) === 'done') this.phase = 'rows';
        return 'more';
      case 'rows':
        if (this.writeRows(sink, rowsMax) === 'more') return 'more';
        this.buckets.flushAll(layout, namespace, sink);
        return 'done';
    }
  }

  private writeRows(sink: BlockSink, rowsMax: number): StepResult {
    const { frozen, scans } = this;
    const count = scans ? frozen.high : frozen.count;
    const to = Math.min(count, this.next + rowsMax);
    if (scans) this.scan(this.next, to, sink);
    else
      for (let i = this.next; i < to; i += 1)
        this.scan(frozen.slots[i]!, frozen.slots[i]! + 1, sink);
    this.next = to;
    return to < count ? 'more' : 'done';
  }

  /** Writes those of the slots `from … to` that the snapshot needs. */
  private scan(from: number, to: number, sink: BlockSink): void {
    const { table, frozen, buckets } = this;
    const { keys, texts, kinds, groups } = table.columns();
    const { marks, numbers, numberStride: stride } = table;
    const { asideOf } = frozen;
    const pendingFrom = pendingMark(frozen);
    const encoded = encodedMark(frozen);
    for (let slot = from; slot < to; slot += 1) {
      const mark = marks[slot]!;
      if (mark >= pendingFrom && mark < encoded) {
        const kind = kinds[slot]!;
        if (kind === SlotKind.free) continue;
        marks[slot] = encoded;
        const group = groups[slot]! > 0 ? groups[slot]! - 1 : this.findGroup(slot, groups);
        const at = group * buckets.rowsMax + buckets.counts[group]!;
        if (kind === SlotKind.text) buckets.putText(group, texts!, slot);
        else if (kind === SlotKind.integer && buckets.kind === 'integers')
          buckets.keys[at] = keys[slot]!;
        else buckets.putKey(group, table.keyAt(slot));
        for (let c = 0; c < stride; c += 1) buckets.numbers[c]![at] = numbers[slot * stride + c]!;
        this.added(group, sink);
      } else if (asideOf !== undefined && asideOf[slot]! > 0) {
        this.writeAside(asideOf[slot]! - 1, sink);
        asideOf[slot] = 0;
      }
    }
  }

  private findGroup(slot: number, groups: Uint16Array): number {
    const group = this.spec.groupOf(this.table.keyAt(slot));
    groups[slot] = group + 1;
    return group;
  }

  private writeAside(place: number, sink: BlockSink): void {
    const { table, frozen, buckets, spec } = this;
    const key = frozen.asideKeys[place]!;
    const group = spec.groupOf(key);
    const at = group * buckets.rowsMax + buckets.counts[group]!;
    buckets.putKey(group, key);
    const { asideNumbers, numberStride: stride } = table;
    for (let c = 0; c < stride; c += 1) {
      buckets.numbers[c]![at] = asideNumbers[place * stride + c]!;
    }
    this.added(group, sink);
  }

  private added(group: number, sink: BlockSink): void {
    const { buckets, spec } = this;
    buckets.counts[group]! += 1;
    if (buckets.counts[group] === buckets.rowsMax) {
      buckets.flush(group, spec.layout, spec.namespace, sink);
    }
  }
}
