import { MillraceError } from '@millrace/core';
import type { DueTimer, Timer, TimerService } from '@millrace/core/spi';
import type { CellKind } from './cell-kind.js';
import type { KeyRows } from './key-rows.js';
import { stateLimits } from './limits.js';
import { TimerQueue } from './timer-queue.js';
import { type StoredTimer, timersKind } from './timers-kind.js';
import type { UndoLog } from './undo-log.js';

interface Entry {
  readonly atMs: number;
  readonly sequence: number;
  readonly of: NamedTimers;
  /** Of its key's row, which there is while the timer stands. */
  slot: number;
  /** False once it was deleted or taken; the queue passes it over then. */
  stands: boolean;
  /** Whether it is in the queue, where one that was deleted may still be. */
  isQueued: boolean;
}

/** Timers of one name. */
interface NamedTimers {
  readonly name: string;
  /** In which each key's row keeps the timers that stand. */
  readonly column: number;
}

/** With one timer, which is the most common, a key has no map. */
type Standing = Entry | Map<number, Entry> | undefined;

/** Timers in a queue by time; which of them stand is kept in the rows of their keys. */
export class HeapTimers implements TimerService {
  private readonly queue = new TimerQueue<Entry>();
  private count = 0;
  private sequence = 0;
  /** Entries were loaded from a snapshot and are not in the queue yet. */
  private isLoaded = false;
  private readonly all: NamedTimers[] = [];
  private readonly rows: KeyRows;
  private readonly undo: UndoLog;
  private readonly addColumn: (name: string, kind: CellKind) => number;

  /** @param addColumn adds the cells of the timers of a name to the rows */
  constructor(rows: KeyRows, undo: UndoLog, addColumn: (name: string, kind: CellKind) => number) {
    this.rows = rows;
    this.undo = undo;
    this.addColumn = addColumn;
  }

  get size(): number {
    this.queueLoaded();
    return this.count;
  }

  /** Estimate of what deleted timers take that are still in the queue, bytes. */
  get deletedBytes(): number {
    return (this.queue.length - this.count) * deletedBytesEach;
  }

  /** Called once for each name. */
  handle(name: string): Timer {
    const { rows } = this;
    const named: NamedTimers = {
      name,
      column: this.addColumn(
        name,
        this.kindOf(() => named),
      ),
    };
    this.all.push(named);
    return {
      set: (atMs) => this.set(named, atMs),
      delete: (atMs) => {
        this.queueLoaded();
        const standing = rows.read(named.column) as Standing;
        const entry = standing instanceof Map ? standing.get(atMs) : standing;
        if (entry?.atMs === atMs) this.delete(entry);
      },
      clear: () => {
        this.queueLoaded();
        const standing = rows.read(named.column) as Standing;
        if (standing instanceof Map) for (const entry of [...standing.values()]) this.delete(entry);
        else if (standing !== undefined) this.delete(standing);
      },
    };
  }

  takeDue(limitMs: number): DueTimer | undefined {
    this.queueLoaded();
    const entry = this.peek();
    if (entry === undefined || entry.atMs >= limitMs) return undefined;
    const { slot, of: named, atMs } = entry;
    const key = this.rows.keyAt(slot);
    this.shift();
    this.forget(entry);
    this.rows.expect(key, slot);
    return { name: named.name, key, atMs };
  }

  nextMs(): number {
    this.queueLoaded();
    return this.count === 0 ? Infinity : (this.peek()?.atMs ?? Infinity);
  }

  private set(named: NamedTimers, atMs: number): void {
    if (!Number.isSafeInteger(atMs)) {
      const detail = `timer ${named.name} was set to ${String(atMs)}`;
      throw new MillraceError('ERR_TIMER_INVALID', detail);
    }
    this.queueLoaded();
    const standing = this.rows.read(named.column) as Standing;
    if (standing instanceof Map ? standing.has(atMs) : standing?.atMs === atMs) return;
    this.sequence += 1;
    const { sequence } = this;
    const entry: Entry = { atMs, sequence, of: named, slot: -1, stands: true, isQueued: false };
    this.remember(entry, standing);
    if (this.undo.isOn) this.undo.push(() => this.forget(entry));
  }

  private delete(entry: Entry): void {
    const { rows, undo } = this;
    this.forget(entry);
    if (!undo.isOn) return;
    const key = rows.currentKey;
    undo.push(() => {
      rows.setKey(key);
      entry.stands = true;
      this.remember(entry, rows.read(entry.of.column) as Standing);
    });
  }

  /** @param standing what the current key's row holds now */
  private remember(entry: Entry, standing: Standing): void {
    this.enqueue(entry);
    let value: Standing = entry;
    if (standing instanceof Map) {
      this.rows.touch(entry.of.column);
      this.rows.weigh(entry.of.column, 1);
      value = standing.set(entry.atMs, entry);
    } else if (standing !== undefined) {
      value = new Map([standing, entry].map((one) => [one.atMs, one]));
    }
    entry.slot = this.rows.write(entry.of.column, value);
  }

  private forget(entry: Entry): void {
    this.count -= 1;
    entry.stands = false;
    this.removeDeleted();
    const { slot, of: named } = entry;
    const standing = this.rows.readAt(named.column, slot) as Standing;
    if (standing instanceof Map) {
      this.rows.touchAt(named.column, slot);
      if (standing.size > 1) {
        standing.delete(entry.atMs);
        this.rows.weigh(named.column, -1);
        return;
      }
    }
    this.rows.clearAt(named.column, slot);
  }

  private kindOf(named: () => NamedTimers): CellKind {
    return timersKind<Entry | Map<number, Entry>>({
      timersIn: (cell) => (cell instanceof Map ? cell.values() : [cell]),
      weightOf: (cell) => (cell instanceof Map ? cell.size : 1),
      with: (cell, timer, slot) => this.loaded(cell, timer, slot, named()),
    });
  }

  private loaded(
    cell: Entry | Map<number, Entry> | undefined,
    { atMs, sequence }: StoredTimer,
    slot: number,
    of: NamedTimers,
  ): Entry | Map<number, Entry> {
    this.isLoaded = true;
    this.sequence = Math.max(this.sequence, sequence);
    const entry: Entry = { atMs, sequence, of, slot, stands: true, isQueued: false };
    if (cell === undefined) return entry;
    if (cell instanceof Map) return cell.set(atMs, entry);
    return cell.atMs === atMs ? entry : new Map([cell, entry].map((one) => [one.atMs, one]));
  }

  /** Queues what was loaded; only now, since later parts of a snapshot may have removed some. */
  private queueLoaded(): void {
    if (!this.isLoaded) return;
    this.isLoaded = false;
    for (const { column } of this.all) {
      for (let slot = 0; slot < this.rows.high; slot += 1) {
        const standing = this.rows.readAt(column, slot) as Standing;
        if (standing === undefined) continue;
        for (const entry of standing instanceof Map ? standing.values() : [standing]) {
          this.enqueue(entry);
        }
      }
    }
  }

  /** The earliest timer that still stands. */
  private peek(): Entry | undefined {
    let entry = this.queue.peek();
    while (entry?.stands === false) {
      this.shift();
      entry = this.queue.peek();
    }
    return entry;
  }

  /** A timer stands from now on; its place in the queue it may have already. */
  private enqueue(entry: Entry): void {
    this.count += 1;
    if (entry.isQueued) return;
    entry.isQueued = true;
    this.queue.push(entry);
  }

  private shift(): void {
    this.queue.peek()!.isQueued = false;
    this.queue.shift();
  }

  /**
   * Takes deleted timers out of the queue where they are more than those that stand: waiting for
   * their time, an hour's worth of them would pile up where each record sets its timer anew.
   */
  private removeDeleted(): void {
    if (this.queue.length <= 2 * this.count + stateLimits.deletedTimersSpare) return;
    this.queue.keep((entry) => {
      entry.isQueued = entry.stands;
      return entry.stands;
    });
  }
}

/** Of a deleted timer in the queue: the object, its place, its time. */
const deletedBytesEach = 80;
