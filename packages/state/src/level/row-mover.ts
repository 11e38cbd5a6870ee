import type { Key } from '@millrace/core';
import { stateLimits } from '../limits.js';
import type { OutsideRows } from './outside-rows.js';
import { rangeOf } from './row-codec.js';
import type { SpillEntry, SpillOperation, SpillRange, SpillStore } from './spill-store.js';

/** Rows on their way out, while the store writes them. */
interface Flight {
  readonly write: number;
  readonly done: Promise<void>;
  isDone: boolean;
  readonly rows: readonly OutsideRows[];
  /** Numbers of their tables and their slots, by index. */
  readonly tables: readonly number[];
  readonly slots: readonly number[];
}

export interface RowMoverOptions {
  readonly store: SpillStore;
  readonly memoryBytesMax: number;
  /** Rows of a page. */
  readonly pageRowsMax: number;
  /** `untracked`: nobody takes snapshots, so ages are begun here. */
  readonly tracking: 'tracked' | 'untracked';
}

/**
 * Keeps the rows of all tables of a backend within their share of memory: moves cold ones to the
 * store, some between any two batches.
 *
 * Which rows are cold is found as by a clock's hand that goes round over all slots (Corbató, "A
 * paging experiment with the Multics system", 1968): rows that were not touched since it came by
 * last. The marks of changes say when a row was touched, so that nothing is added where rows are.
 */
export class RowMover {
  /** Number of the last write that is done. */
  lastDone = 0;
  /** Rows read ahead of their batch. */
  prefetchedRows = 0;
  /** Rows written to the store. */
  writtenRows = 0;
  /** So much is in memory that also rows leave it that a call may need. */
  isOverfull = false;
  private readonly store: SpillStore;
  private readonly bytesMax: number;
  private readonly pageRowsMax: number;
  private readonly tracking: 'tracked' | 'untracked';
  private readonly tables = new Set<OutsideRows>();
  private round: OutsideRows[] = [];
  /** Tables that are yet to be asked how large a row is. */
  private unsampled = this.tables.values();
  /** Bytes of the row looked at last that calls since then have not made up for. */
  private sampleDebt = 0;
  private flight: Flight | undefined;
  private tableNumber = 0;
  private writeNumber = 0;
  private failure: { readonly error: unknown } | undefined;
  private readonly background = new Set<Promise<void>>();
  private removing: { readonly rows: OutsideRows; readonly isGone: (key: Key) => boolean }[] = [];

  constructor({ store, memoryBytesMax, pageRowsMax, tracking }: RowMoverOptions) {
    this.store = store;
    this.pageRowsMax = pageRowsMax;
    this.bytesMax = memoryBytesMax;
    this.tracking = tracking;
  }

  /** Estimate of what all rows in memory take. */
  get bytes(): number {
    let bytes = 0;
    for (const rows of this.tables) bytes += rows.bytes;
    return bytes;
  }

  get rowsOutside(): number {
    let count = 0;
    for (const rows of this.tables) count += rows.count;
    return count;
  }

  /** What cannot leave before more barriers have come takes all the memory there is. */
  get needsBarrier(): boolean {
    if (this.tracking === 'untracked') return false;
    let bytes = 0;
    for (const rows of this.tables) bytes += rows.pinnedBytes;
    return bytes > this.bytesMax;
  }

  /** A table gets its first row; returns the number of its keys in the store. */
  register(rows: OutsideRows): number {
    this.tables.add(rows);
    this.tableNumber += 1;
    return this.tableNumber;
  }

  /** All rows of a table are gone; its number is not used again. */
  forget(rows: OutsideRows, number: number): void {
    this.tables.delete(rows);
    const write = this.flight?.done ?? Promise.resolve();
    this.watch(write.then(() => this.store.clear(rangeOf(number))));
  }

  /** Rows outside for which `isGone` holds are removed by the next `relieve`. */
  removeLater(rows: OutsideRows, isGone: (key: Key) => boolean): void {
    this.removing.push({ rows, isGone });
  }

  /** A failure is told by later calls as well: here it looks like one of the record at hand. */
  readSync(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.store.getSync(key);
    } catch (error) {
      this.failure ??= { error };
      throw error;
    }
  }

  readMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.prefetchedRows += keys.length;
    return this.store.getMany(keys);
  }

  pages(range: SpillRange): AsyncIterator<readonly SpillEntry[]> {
    return this.store.pages(range, this.pageRowsMax);
  }

  /**
   * Called between batches. Moves some rows out where too many are in memory; usually the store
   * writes them meanwhile, and a later call drops them. The promise is for when that is too slow.
   */
  relieve(): Promise<void> | undefined {
    this.assertWorking();
    if (this.removing.length > 0) return this.removeOutside();
    this.isOverfull = this.isBeyondHard;
    this.land();
    for (const rows of this.tables) rows.countChanges();
    this.sample();
    if (this.tracking === 'untracked') this.age();
    this.move();
    return this.isTight ? this.untilLoose() : undefined;
  }

  /** Waits for all writes; nothing is to be called afterwards. */
  async close(): Promise<void> {
    await Promise.allSettled(this.background);
  }

  /** More than the engine should add to, and something is on its way out. */
  private get isTight(): boolean {
    return this.flight !== undefined && this.isBeyondHard;
  }

  private get isBeyondHard(): boolean {
    return this.bytes > this.bytesMax * stateLimits.spillHardShare;
  }

  private async untilLoose(): Promise<void> {
    while (this.isTight) {
      await this.flight!.done;
      this.assertWorking();
      this.land();
      this.move();
    }
  }

  /** Drops the rows that have been written, unless they were touched meanwhile. */
  private land(): void {
    const { flight } = this;
    if (flight?.isDone !== true) return;
    this.flight = undefined;
    this.lastDone = flight.write;
    for (const rows of this.tables) rows.settle(flight.write);
    for (let i = 0; i < flight.rows.length; i += 1) {
      const rows = flight.rows[i]!;
      if (rows.number === flight.tables[i]) rows.saved(flight.slots[i]!);
    }
  }

  /** Looks at how large a row of the next table is; after a large one, not for a while. */
  private sample(): void {
    this.sampleDebt -= stateLimits.spillSampleBytes;
    if (this.sampleDebt > 0) return;
    const { value: rows, done } = this.unsampled.next();
    if (done === true) this.unsampled = this.tables.values();
    this.sampleDebt = rows?.sizes.sample() ?? 0;
  }

  private move(): void {
    if (this.flight !== undefined) return;
    const write = this.writeNumber + 1;
    const operations: SpillOperation[] = [];
    for (const rows of this.tables) if (rows.hasRemovals) rows.takeRemovals(operations, write);
    const excess = this.bytes - this.bytesMax;
    const moved = excess > 0 ? this.pick(excess, operations) : nothing;
    if (operations.length === 0) return;
    this.writeNumber = write;
    this.writtenRows += moved.rows.length;
    const done = this.store.write(operations);
    const flight: Flight = { write, done, isDone: false, ...moved };
    this.flight = flight;
    this.watch(
      done.then(() => {
        flight.isDone = true;
      }),
    );
  }

  /** Takes cold rows for a write; those that need none leave at once. */
  private pick(
    excess: number,
    operations: SpillOperation[],
  ): Pick<Flight, 'rows' | 'tables' | 'slots'> {
    const { spillRowsMax, spillBytesMax } = stateLimits;
    const moved = { rows: [] as OutsideRows[], tables: [] as number[], slots: [] as number[] };
    let bytesLeft = excess;
    let writtenBytes = 0;
    let slotsLeft: number = stateLimits.spillSlotsMax;
    let tablesLeft = this.tables.size * 2;
    while (bytesLeft > 0 && slotsLeft > 0 && tablesLeft > 0) {
      const [rows] = this.round;
      if (rows === undefined) {
        if (this.tables.size === 0) break;
        this.round = [...this.tables];
        continue;
      }
      if (rows.isPinned) {
        this.round.shift();
        tablesLeft -= 1;
        continue;
      }
      const { table, rowBytes } = rows;
      const coldBelow = Math.min(rows.coldBelow, table.changes!.movableBelow);
      while (rows.hand < table.high && slotsLeft > 0 && bytesLeft > 0) {
        const slot = rows.hand;
        rows.hand += 1;
        slotsLeft -= 1;
        if (table.marks[slot]! >= coldBelow || !table.isLive(slot)) continue;
        const bytes = rows.save(slot, operations);
        if (bytes > 0) {
          writtenBytes += bytes;
          moved.rows.push(rows);
          moved.tables.push(rows.number);
          moved.slots.push(slot);
        } else if (!rows.drop(slot)) continue;
        bytesLeft -= rowBytes;
        if (moved.rows.length >= spillRowsMax || writtenBytes >= spillBytesMax) return moved;
      }
      if (rows.hand < table.high) break;
      this.round.shift();
      tablesLeft -= 1;
      rows.hand = 0;
      rows.coldBelow = table.epoch;
    }
    return moved;
  }

  private age(): void {
    const isOver = this.bytes > this.bytesMax;
    for (const { table } of this.tables) {
      const { changeCount } = table.changes!;
      const isMost = changeCount > table.sizeInMemory * stateLimits.spillAgeShare;
      if (isMost && (isOver || changeCount > stateLimits.spillAgeRowsMin)) table.age();
    }
  }

  private async removeOutside(): Promise<void> {
    const { removing } = this;
    this.removing = [];
    for (const { rows, isGone } of removing) {
      const gone: Key[] = [];
      const pages = this.pages(rangeOf(rows.number));
      for (let page = await pages.next(); page.done !== true; page = await pages.next()) {
        for (const [bytes] of page.value) {
          const key = rows.codec.keyOf(bytes);
          if (rows.isOutside(key) && isGone(key)) gone.push(key);
        }
      }
      for (const key of gone) rows.removeOutside(key);
    }
    await this.relieve();
  }

  /** Remembers work that goes on by itself: its failure is told by the next call. */
  watch(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.background.delete(watched));
    this.background.add(watched);
  }

  /** Throws what the store has failed with, in whatever call that was. */
  assertWorking(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}

const nothing: Pick<Flight, 'rows' | 'tables' | 'slots'> = { rows: [], tables: [], slots: [] };
