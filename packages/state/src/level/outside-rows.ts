import type { Key } from '@millrace/core';
import { type CanonicalKey, canonicalKey } from '@millrace/core/internal';
import type { KeyTable } from '@millrace/core/spi';
import type { HeapKeyTable } from '../heap-key-table.js';
import { stateLimits } from '../limits.js';
import type { RowsOutside } from '../rows-outside.js';
import { KeyFilter } from './key-filter.js';
import { keyHash } from './key-hash.js';
import type { OperatorReads } from './operator-reads.js';
import { OutsidePages } from './outside-pages.js';
import { RowCodec, rangeOf } from './row-codec.js';
import type { RowMover } from './row-mover.js';
import { RowSizes } from './row-sizes.js';
import type { SpillOperation } from './spill-store.js';

/**
 * Whether the store has a row that is in memory, and as it is there. `writing`: it will, when the
 * write in progress is done.
 */
const Copy = { none: 0, current: 1, stale: 2, writing: 3 } as const;

/** A removal that has not been given to the store yet. */
const notWritten = 0;

/** Estimate for the object behind a reference of a row, beside what it holds. */
const refBytes = 56;

/**
 * The rows of one table that are in the store.
 *
 * A row in memory may have a copy there. It leaves memory only while its copy is as it is, and only
 * between batches (`drop`, called by the mover). Writes are begun in order and one at a time. What
 * reads could miss until a write is done is kept in memory: rows stay, and removed keys are
 * remembered.
 */
export class OutsideRows implements RowsOutside {
  count = 0;
  readonly table: HeapKeyTable;
  readonly codec: RowCodec;
  readonly sizes: RowSizes;
  /** Of the keys in the store; a table that is used again gets another one. 0: none yet. */
  number = 0;
  /** Where the search for cold rows goes on. */
  hand = 0;
  /** Rows with lower marks have not been touched since the search came by last. */
  coldBelow = Infinity;
  /** Changes whenever what is being read from the store may be out of date. */
  private version = 0;
  /** Rows changed since the last barrier, and between it and the one before; about. */
  private changes = 0;
  private changesBefore = 0;
  private epoch = 0;
  /** Rows that have left memory so far. */
  private drops = 0;
  private copies = new Uint8Array(0);
  private filter = new KeyFilter();
  /** The one that will take its place, while it is being filled. */
  private nextFilter: KeyFilter | undefined;
  /** Keys removed whose removal is not done: the number of its write. */
  private readonly removals = new Map<CanonicalKey, number>();
  private removedKeys: Key[] = [];
  /** Keys that the filter takes for outside, but the last prefetch did not find. */
  private readonly absent = new Set<CanonicalKey>();
  private pages: OutsidePages | undefined;
  private readonly mover: RowMover;
  private readonly reads: OperatorReads;

  constructor(table: HeapKeyTable, mover: RowMover, reads: OperatorReads) {
    this.table = table;
    this.mover = mover;
    this.reads = reads;
    this.codec = new RowCodec(table.numberStride);
    this.sizes = new RowSizes(table, this.codec);
  }

  /** Estimate of what the rows in memory take. */
  get bytes(): number {
    const { table, filter } = this;
    return table.sizeInMemory * this.rowBytes + filter.bytes;
  }

  /** Estimate of what a row in memory takes. */
  get rowBytes(): number {
    const { numberStride, refStride } = this.table;
    return (
      columnSlack * (8 * numberStride + 8 * refStride + markBytes) +
      refBytes * refStride +
      indexBytes +
      this.sizes.average
    );
  }

  /**
   * Estimate of what the rows take that stay in memory until there were more barriers: what changed
   * since the last one but one, or all where the last snapshot took all.
   */
  get pinnedBytes(): number {
    const { table, rowBytes } = this;
    const { movableBelow } = table.changes!;
    const rows = table.sizeInMemory;
    if (movableBelow === 0) return rows * rowBytes;
    const before = movableBelow < table.epoch ? this.changesBefore : 0;
    return Math.min(rows, this.changes + before) * rowBytes;
  }

  /** Takes note of what has changed; called between batches. */
  countChanges(): void {
    const { epoch, changes } = this.table;
    if (epoch !== this.epoch) {
      this.changesBefore = this.changes;
      this.epoch = epoch;
    }
    this.changes = changes!.changeCount;
    if (!this.sizes.areKnown) this.sizes.sample();
  }

  get hasRemovals(): boolean {
    return this.removedKeys.length > 0;
  }

  /**
   * Rows of a table that is being paged through stay where they are, and those that a call waits
   * for: some that it needs may have been in memory all along.
   */
  get isPinned(): boolean {
    const { reads, mover } = this;
    if (this.pages !== undefined || reads.areOpen) return true;
    return reads.areUnused && !mover.isOverfull;
  }

  fetch(key: Key): number {
    if (!this.mayBeOutside(key)) return -1;
    this.reads.sync += 1;
    this.reads.used();
    const bytes = this.mover.readSync(this.codec.keyBytes(this.number, key));
    if (bytes === undefined) return -1;
    this.version += 1;
    return this.admit(key, bytes);
  }

  made(slot: number): void {
    this.reads.used();
    if (this.number === 0) this.number = this.mover.register(this);
    this.room(slot);
    this.copies[slot] = Copy.none;
  }

  changed(slot: number): void {
    this.reads.used();
    if (this.copies[slot] !== Copy.none) this.copies[slot] = Copy.stale;
  }

  removing(slot: number): void {
    this.reads.used();
    if (this.copies[slot] === Copy.none) return;
    const key = this.table.keyAt(slot);
    this.version += 1;
    this.removals.set(canonicalKey(key), notWritten);
    this.removedKeys.push(key);
  }

  dropping(isGone: (key: Key) => boolean): void {
    if (this.count > 0) this.mover.removeLater(this, isGone);
  }

  cleared(): void {
    if (this.number === 0) return;
    this.mover.forget(this, this.number);
    this.number = 0;
    this.version += 1;
    this.count = 0;
    this.hand = 0;
    this.coldBelow = Infinity;
    this.filter.clear();
    this.nextFilter = undefined;
    this.absent.clear();
    this.removals.clear();
    this.removedKeys = [];
    this.pages = undefined;
    this.sizes.restart();
    this.changes = 0;
    this.changesBefore = 0;
  }

  /** Loads those of the keys that are outside. */
  prefetch(keys: readonly Key[], from: number, to: number): Promise<void> | undefined {
    if (this.count === 0) return undefined;
    this.absent.clear();
    const wanted = new Map<CanonicalKey, Key>();
    for (let i = from; i < to; i += 1) {
      const key = keys[i]!;
      if (this.table.findInMemory(key) >= 0 || !this.mayBeOutside(key)) continue;
      wanted.set(canonicalKey(key), key);
    }
    return wanted.size === 0 ? undefined : this.reads.ahead(this.load([...wanted.values()]));
  }

  /** Pins the rows where they are until the pages have been gone through. */
  openPages(spec: ConstructorParameters<typeof HeapKeyTable>[0]): AsyncIterator<KeyTable> {
    this.pages?.return();
    const pages = new OutsidePages(this, this.mover, spec);
    this.pages = pages;
    return pages;
  }

  closePages(pages: OutsidePages): void {
    if (this.pages !== pages) return;
    this.pages = undefined;
    this.settle(this.mover.lastDone);
  }

  /** Whether a key in the store is a row of now that is not in memory. */
  isOutside(key: Key): boolean {
    return this.table.findInMemory(key) < 0 && !this.isRemoved(key);
  }

  /** Adds what is to be removed in the store to a write. */
  takeRemovals(operations: SpillOperation[], write: number): void {
    const { codec, number, removedKeys } = this;
    for (const key of removedKeys) {
      operations.push({ type: 'del', key: codec.keyBytes(number, key) });
      this.removals.set(canonicalKey(key), write);
    }
    this.removedKeys = [];
  }

  /** Removes a row that is outside. */
  removeOutside(key: Key): void {
    this.version += 1;
    this.count -= 1;
    this.removals.set(canonicalKey(key), notWritten);
    this.removedKeys.push(key);
  }

  /** Adds the row to a write; how many bytes, or 0 when the store has it already as it is. */
  save(slot: number, operations: SpillOperation[]): number {
    if (this.copies[slot] === Copy.current || this.copies[slot] === Copy.writing) return 0;
    const { codec, table, number } = this;
    const key = codec.keyBytes(number, table.keyAt(slot));
    const value = codec.rowBytes(table, slot);
    operations.push({ type: 'put', key, value });
    this.copies[slot] = Copy.writing;
    return key.length + value.length;
  }

  /** The write that had the row is done: it leaves memory unless it was touched meanwhile. */
  saved(slot: number): void {
    if (this.copies[slot] !== Copy.writing) return;
    this.copies[slot] = Copy.current;
    this.drop(slot);
  }

  /** Takes a row out of memory that is in the store as it is. Says whether that was so. */
  drop(slot: number): boolean {
    const { table } = this;
    if (this.isPinned || !table.isLive(slot) || this.copies[slot] !== Copy.current) return false;
    if (table.marks[slot]! >= table.changes!.movableBelow) return false;
    this.addToFilter(keyHash(table.keyAt(slot)));
    table.expel(slot);
    this.absent.clear();
    this.drops += 1;
    this.count += 1;
    return true;
  }

  /** All writes up to this one are done: reads see what was removed in them. */
  settle(write: number): void {
    if (this.pages !== undefined) return;
    for (const [key, writtenBy] of this.removals) {
      if (writtenBy !== notWritten && writtenBy <= write) this.removals.delete(key);
    }
  }

  private addToFilter(hash: number): void {
    this.filter.add(hash);
    this.nextFilter?.add(hash);
    const keysMax = stateLimits.filterKeysShare * this.table.size + stateLimits.filterKeysSpare;
    if (this.filter.size <= keysMax || this.nextFilter !== undefined) return;
    this.nextFilter = new KeyFilter();
    this.mover.watch(this.fill(this.nextFilter));
  }

  /** Makes the filter anew, without the keys that are gone; those that come meanwhile are added. */
  private async fill(filter: KeyFilter): Promise<void> {
    const pages = this.mover.pages(rangeOf(this.number));
    for (let page = await pages.next(); page.done !== true; page = await pages.next()) {
      for (const [bytes] of page.value) filter.add(keyHash(this.codec.keyOf(bytes)));
    }
    if (this.nextFilter !== filter) return;
    this.nextFilter = undefined;
    this.filter = filter;
  }

  private mayBeOutside(key: Key): boolean {
    if (this.count === 0 || !this.filter.has(keyHash(key)) || this.isRemoved(key)) return false;
    return this.absent.size === 0 || !this.absent.has(canonicalKey(key));
  }

  private isRemoved(key: Key): boolean {
    return this.removals.size > 0 && this.removals.has(canonicalKey(key));
  }

  private async load(keys: readonly Key[]): Promise<void> {
    const { codec, number, version, drops } = this;
    const values = await this.mover.readMany(keys.map((key) => codec.keyBytes(number, key)));
    // What has changed meanwhile is read again when it is needed.
    if (this.version !== version) return;
    for (let i = 0; i < keys.length; i += 1) {
      const bytes = values[i];
      if (bytes === undefined) {
        if (this.drops === drops) this.absent.add(canonicalKey(keys[i]!));
      } else if (this.table.findInMemory(keys[i]!) < 0) this.admit(keys[i]!, bytes);
    }
  }

  private admit(key: Key, bytes: Uint8Array): number {
    const { table } = this;
    const slot = table.admit(key);
    this.codec.readRow(bytes, table, slot);
    this.room(slot);
    // A row that counts as touched already will not be said to change again.
    this.copies[slot] = table.marks[slot]! < table.epoch ? Copy.current : Copy.stale;
    this.count -= 1;
    this.pages?.arrived(key);
    return slot;
  }

  private room(slot: number): void {
    if (slot < this.copies.length) return;
    const copies = new Uint8Array(Math.max(64, slot + 1, this.copies.length * 2));
    copies.set(this.copies);
    this.copies = copies;
  }
}

/** Columns grow by doubling: a third of them is free on average. */
const columnSlack = 4 / 3;
/** Of a row: its mark, its key, what its slot holds, and whether it has a copy. */
const markBytes = 8;
/** Of a row: cells of the index, which is half full at the most. */
const indexBytes = 24;
