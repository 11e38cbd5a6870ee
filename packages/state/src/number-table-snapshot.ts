import type { BlockSink } from './block-builder.js';
import { encodedMark, type FrozenRows, pendingMark } from './frozen-rows.js';
import type { GroupBuckets } from './group-buckets.js';
import type { StepResult } from './group-order.js';
import type { HeapKeyTable, KeyColumns } from './heap-key-table.js';
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
    const columns = table.columns();
    const { keys, kinds } = columns;
    const { marks, numbers, numberStride: stride } = table;
    const { placeOf } = frozen.aside;
    const pendingFrom = pendingMark(frozen);
    const encoded = encodedMark(frozen);
    for (let slot = from; slot < to; slot += 1) {
      const mark = marks[slot]!;
      if (mark >= pendingFrom && mark < encoded) {
        const kind = kinds[slot]!;
        if (kind === SlotKind.free) continue;
        marks[slot] = encoded;
        const group = this.groupAt(slot, columns);
        const at = group * buckets.rowsMax + buckets.counts[group]!;
        if (kind === SlotKind.integer && buckets.kind === 'integers') {
          buckets.keys[at] = keys[slot]!;
        } else this.putKeyAt(slot, group, columns);
        for (let c = 0; c < stride; c += 1) buckets.numbers[c]![at] = numbers[slot * stride + c]!;
        this.added(group, sink);
      } else if (placeOf !== undefined && placeOf[slot]! > 0) {
        this.writeAside(placeOf[slot]! - 1, slot, columns, sink);
        placeOf[slot] = 0;
      }
    }
  }

  private putKeyAt(slot: number, group: number, { texts, kinds }: KeyColumns): void {
    if (kinds[slot] === SlotKind.text) this.buckets.putText(group, texts!, slot);
    else this.buckets.putKey(group, this.table.keyAt(slot));
  }

  private groupAt(slot: number, { groups }: KeyColumns): number {
    const known = groups[slot]!;
    if (known > 0) return known - 1;
    const group = this.spec.groupOf(this.table.keyAt(slot));
    groups[slot] = group + 1;
    return group;
  }

  /** @param slot which the row has, or had until its key was removed */
  private writeAside(place: number, slot: number, columns: KeyColumns, sink: BlockSink): void {
    const { table, frozen, buckets, spec } = this;
    const removed = frozen.aside.keyOf(place);
    const group = removed === undefined ? this.groupAt(slot, columns) : spec.groupOf(removed);
    const at = group * buckets.rowsMax + buckets.counts[group]!;
    if (removed === undefined) this.putKeyAt(slot, group, columns);
    else buckets.putKey(group, removed);
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
