import type { Key } from '@millrace/core';
import { decodeRecord, type KeyGroupRange } from '@millrace/core/internal';
import type { KeyTable, KeyTables, StateTableSpec } from '@millrace/core/spi';
import { type BlockSink, blobAt } from './block-builder.js';
import type { FrozenRows } from './frozen-rows.js';
import { GroupBuckets } from './group-buckets.js';
import type { StepResult } from './group-order.js';
import { HeapKeyTable } from './heap-key-table.js';
import { stateLimits } from './limits.js';
import { NumberTableSnapshot } from './number-table-snapshot.js';
import type { RowsOutside } from './rows-outside.js';
import { RowsSnapshot, type RowsSnapshotSpec } from './rows-snapshot.js';
import type { StateLayout } from './segment/block.js';
import { isInGroups, type StatePart, type StoredBlock } from './state-part.js';
import { TableRowWriter } from './table-row-writer.js';

interface OpenTable {
  readonly namespace: readonly number[];
  readonly table: HeapKeyTable;
  /** Whether a snapshot has been taken of it, so that its end has to be told. */
  isKnown: boolean;
  /** Whether it was there before loading: its operator has it, and will not open it again. */
  isHeld: boolean;
}

/** Either way to write one. */
type TableSnapshot = Pick<RowsSnapshot, 'step'>;

/** A table that a snapshot is being written of. */
interface FrozenTable {
  readonly snapshot: TableSnapshot;
  readonly table: HeapKeyTable;
  isDropped: boolean;
}

export interface HeapKeyTablesParts {
  readonly operator: string;
  readonly state: string;
  readonly spec: StateTableSpec;
  readonly tracking: 'tracked' | 'untracked';
  readonly groupCount: number;
  readonly groupOf: (key: Key) => number;
  /** Where rows go that are moved out of memory; undefined: they are not. */
  readonly outside?: ((table: HeapKeyTable) => RowsOutside) | undefined;
}

/** The tables of one state on the heap, by namespace. */
export class HeapKeyTables implements KeyTables, StatePart {
  readonly layout: StateLayout;
  readonly migrates = false;
  private readonly parts: HeapKeyTablesParts;
  private readonly tables = new Map<string | number, OpenTable>();
  private readonly free: HeapKeyTable[] = [];
  private dropped: (readonly number[])[] = [];
  /** Namespaces dropped in the epoch that was frozen last; kept until the next one is. */
  private frozenDrops: readonly (readonly number[])[] = [];
  private areDropsWritten = true;
  private frozen: FrozenTable[] = [];
  private hasLoaded = false;
  private buckets: GroupBuckets | undefined;
  private readonly writer: TableRowWriter;
  private readonly groupOf: (key: Key) => number;

  constructor(parts: HeapKeyTablesParts) {
    const { operator, state, spec } = parts;
    this.parts = parts;
    this.layout = {
      operator,
      state,
      kind: 'keyTable',
      version: 1,
      shape: spec.shape,
      numbers: spec.numbers.length,
      blobs: spec.refs.length,
      identityNumbers: 0,
      identityBlobs: 0,
    };
    this.writer = new TableRowWriter(this.layout);
    this.groupOf =
      spec.keyedBy === 'first'
        ? (key) => parts.groupOf((key as readonly Key[])[0]!)
        : parts.groupOf;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { table } of this.tables.values()) bytes += table.bytes;
    for (const table of this.free) bytes += table.bytes;
    return bytes;
  }

  get rowCount(): number {
    let rows = 0;
    for (const { table } of this.tables.values()) rows += table.size;
    return rows;
  }

  open(...namespace: readonly number[]): KeyTable {
    const open = this.openTable(namespace);
    open.isHeld ||= !this.hasLoaded;
    return open.table;
  }

  drop(...namespace: readonly number[]): void {
    const id = idOf(namespace);
    const open = this.tables.get(id);
    if (open === undefined) return;
    this.tables.delete(id);
    if (open.isKnown) this.dropped.push(open.namespace);
    const frozen = this.frozen.find(({ table }) => table === open.table);
    if (frozen === undefined) this.recycle(open.table);
    else frozen.isDropped = true;
  }

  *namespaces(): Iterable<readonly number[]> {
    for (const { namespace } of this.tables.values()) yield namespace;
  }

  freeze(): void {
    this.frozenDrops = this.dropped;
    this.areDropsWritten = false;
    this.dropped = [];
    for (const open of this.tables.values()) {
      const { namespace, table } = open;
      const rows = table.freeze();
      if (rows === undefined) continue;
      open.isKnown = true;
      const { groupOf } = this;
      const spec = { layout: this.layout, namespace, groupCount: this.parts.groupCount, groupOf };
      this.frozen.push({ snapshot: this.snapshotOf(table, rows, spec), table, isDropped: false });
    }
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    if (!this.areDropsWritten) this.writeDrops(sink);
    const [first] = this.frozen;
    if (first === undefined) return 'done';
    if (first.snapshot.step(sink, rowsMax) === 'done') this.finish(first, 'encoded');
    return this.frozen.length > 0 ? 'more' : 'done';
  }

  abandon(): void {
    for (const frozen of [...this.frozen]) this.finish(frozen, 'lost');
    this.writer.reset();
    this.rewrite();
  }

  rewrite(): void {
    this.dropped = [...this.frozenDrops, ...this.dropped];
    this.frozenDrops = [];
    for (const { table } of this.tables.values()) table.loseSnapshot();
  }

  load({ kind, namespace, columns, chainGroups }: StoredBlock): void {
    this.hasLoaded = true;
    if (kind === 'drop') {
      this.loadDrop(namespace, chainGroups);
      return;
    }
    const open = this.openTable(namespace);
    open.isKnown = true;
    const { table } = open;
    for (let row = 0; row < columns.count; row += 1) {
      const key = columns.keys[row]!;
      if (kind !== 'rows') table.restoreRemoval(key);
      else this.loadRow(table, table.restoreSlot(key), row, columns);
    }
  }

  private snapshotOf(table: HeapKeyTable, rows: FrozenRows, spec: RowsSnapshotSpec): TableSnapshot {
    if (table.refStride > 0 || this.parts.spec.keyedBy === 'first') {
      const writer = this.writer.of(table, spec.namespace);
      return new RowsSnapshot(table.changes!, rows, spec, writer);
    }
    this.buckets ??= new GroupBuckets(spec.groupCount, table.numberStride);
    return new NumberTableSnapshot(table, rows, spec, this.buckets);
  }

  private loadDrop(namespace: readonly number[], groups: KeyGroupRange | undefined): void {
    const id = idOf(namespace);
    const open = this.tables.get(id);
    if (open === undefined) return;
    const { table } = open;
    const isGone = (key: Key): boolean => isInGroups(this.groupOf(key), groups);
    for (let slot = 0; slot < table.high; slot += 1) {
      if (!table.isLive(slot)) continue;
      const key = table.keyAt(slot);
      if (isGone(key)) table.restoreRemoval(key);
    }
    if (groups !== undefined) table.outside?.dropping(isGone);
    if (table.size > 0 && groups !== undefined) return;
    if (open.isHeld) {
      table.clear();
      return;
    }
    this.tables.delete(id);
    this.recycle(table);
  }

  private writeDrops(sink: BlockSink): void {
    for (const namespace of this.frozenDrops) sink.drop(sink.layout(this.layout), namespace);
    this.areDropsWritten = true;
  }

  private loadRow(
    table: HeapKeyTable,
    slot: number,
    row: number,
    { numbers, blobs }: StoredBlock['columns'],
  ): void {
    for (let i = 0; i < numbers.length; i += 1) {
      table.numbers[slot * table.numberStride + i] = numbers[i]![row]!;
    }
    for (let j = 0; j < blobs.length; j += 1) {
      table.refs[slot * table.refStride + j] = decodeRecord(blobAt(blobs[j]!, row));
    }
  }

  private openTable(namespace: readonly number[]): OpenTable {
    const id = idOf(namespace);
    let open = this.tables.get(id);
    if (open === undefined) {
      const { spec, tracking, outside } = this.parts;
      const table = this.free.pop() ?? new HeapKeyTable(spec, tracking, outside);
      open = { namespace: [...namespace], table, isKnown: false, isHeld: false };
      this.tables.set(id, open);
    }
    return open;
  }

  private finish(frozen: FrozenTable, outcome: 'encoded' | 'lost'): void {
    this.frozen.splice(this.frozen.indexOf(frozen), 1);
    if (frozen.isDropped) this.recycle(frozen.table);
    else frozen.table.endSnapshot(outcome);
  }

  private recycle(table: HeapKeyTable): void {
    table.clear();
    if (this.free.length < stateLimits.freeTablesMax) this.free.push(table);
  }
}

/** A `Map` key for a namespace; one number, which most have, stands for itself. */
function idOf(namespace: readonly number[]): string | number {
  return namespace.length === 1 ? namespace[0]! : namespace.join();
}
