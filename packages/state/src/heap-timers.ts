import { MillraceError } from '@millrace/core';
import type { DueTimer, Timer, TimerService } from '@millrace/core/spi';
import type { KeyRows } from './key-rows.js';
import { TimerQueue } from './timer-queue.js';
import type { UndoLog } from './undo-log.js';

interface Entry {
  readonly atMs: number;
  readonly sequence: number;
  readonly of: NamedTimers;
  /** Of its key's row, which there is while the timer stands. */
  slot: number;
  /** False once it was deleted or taken; the queue passes it over then. */
  stands: boolean;
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
  private readonly rows: KeyRows;
  private readonly undo: UndoLog;

  constructor(rows: KeyRows, undo: UndoLog) {
    this.rows = rows;
    this.undo = undo;
  }

  get size(): number {
    return this.count;
  }

  /** Called once for each name. */
  handle(name: string): Timer {
    const { rows } = this;
    const named = { name, column: rows.addColumn() };
    return {
      set: (atMs) => this.set(named, atMs),
      delete: (atMs) => {
        const standing = rows.read(named.column) as Standing;
        const entry = standing instanceof Map ? standing.get(atMs) : standing;
        if (entry?.atMs === atMs) this.delete(entry);
      },
      clear: () => {
        const standing = rows.read(named.column) as Standing;
        if (standing instanceof Map) for (const entry of [...standing.values()]) this.delete(entry);
        else if (standing !== undefined) this.delete(standing);
      },
    };
  }

  takeDue(limitMs: number): DueTimer | undefined {
    const entry = this.peek();
    if (entry === undefined || entry.atMs >= limitMs) return undefined;
    const { slot, of: named, atMs } = entry;
    const key = this.rows.keyAt(slot);
    this.queue.shift();
    this.forget(entry);
    this.rows.expect(key, slot);
    return { name: named.name, key, atMs };
  }

  nextMs(): number {
    return this.count === 0 ? Infinity : (this.peek()?.atMs ?? Infinity);
  }

  private set(named: NamedTimers, atMs: number): void {
    if (!Number.isSafeInteger(atMs)) {
      const detail = `timer ${named.name} was set to ${String(atMs)}`;
      throw new MillraceError('ERR_TIMER_INVALID', detail);
    }
    const standing = this.rows.read(named.column) as Standing;
    if (standing instanceof Map ? standing.has(atMs) : standing?.atMs === atMs) return;
    this.sequence += 1;
    const entry: Entry = { atMs, sequence: this.sequence, of: named, slot: -1, stands: true };
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
      // Its place in the queue may be lost; being there twice, it is taken once.
      this.remember(entry, rows.read(entry.of.column) as Standing);
    });
  }

  /** @param standing what the current key's row holds now */
  private remember(entry: Entry, standing: Standing): void {
    this.count += 1;
    this.queue.push(entry);
    let value: Standing = entry;
    if (standing instanceof Map) value = standing.set(entry.atMs, entry);
    else if (standing !== undefined) {
      value = new Map([standing, entry].map((one) => [one.atMs, one]));
    }
    entry.slot = this.rows.write(entry.of.column, value);
  }

  private forget(entry: Entry): void {
    this.count -= 1;
    entry.stands = false;
    const { slot, of: named } = entry;
    const standing = this.rows.readAt(named.column, slot) as Standing;
    if (standing instanceof Map) {
      standing.delete(entry.atMs);
      if (standing.size > 0) return;
    }
    this.rows.clearAt(named.column, slot);
  }

  /** The earliest timer that still stands. */
  private peek(): Entry | undefined {
    let entry = this.queue.peek();
    while (entry?.stands === false) {
      this.queue.shift();
      entry = this.queue.peek();
    }
    return entry;
  }
}
