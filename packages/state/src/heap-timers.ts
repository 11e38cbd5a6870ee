import { type Key, MillraceError } from '@millrace/core';
import { type CanonicalKey, canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import type { DueTimer, Timer, TimerService } from '@millrace/core/spi';
import { stateLimits } from './limits.js';
import { TimerQueue } from './timer-queue.js';
import type { UndoLog } from './undo-log.js';

interface Entry {
  readonly atMs: number;
  readonly sequence: number;
  readonly of: KeyTimers;
  /** False once it was deleted or taken; the queue passes it over then. */
  stands: boolean;
}

/** Timers of one name. */
interface NamedTimers {
  readonly name: string;
  /**
   * Keys stay here a while after their last timer: most soon have one again, and a `Map` that
   * loses and gains keys all the time is rebuilt all the time.
   */
  readonly byKey: Map<CanonicalKey, KeyTimers>;
  /** Keys without timers. */
  idleKeys: number;
}

/** Timers of one name and key. With one timer, which is the most common, there is no map. */
interface KeyTimers {
  readonly named: NamedTimers;
  readonly key: CanonicalKey;
  standing: Entry | Map<number, Entry> | undefined;
}

/** Timers in a queue by time; which of them stand is kept by name and key. */
export class HeapTimers implements TimerService {
  private readonly named = new Map<string, NamedTimers>();
  private readonly queue = new TimerQueue<Entry>();
  private count = 0;
  private sequence = 0;
  private readonly currentKey: () => Key;
  private readonly undo: UndoLog;

  constructor(currentKey: () => Key, undo: UndoLog) {
    this.currentKey = currentKey;
    this.undo = undo;
  }

  get size(): number {
    return this.count;
  }

  handle(name: string): Timer {
    const named = this.namedOf(name);
    return {
      set: (atMs) => this.set(named, atMs),
      delete: (atMs) => {
        const standing = named.byKey.get(canonicalKey(this.currentKey()))?.standing;
        const entry = standing instanceof Map ? standing.get(atMs) : standing;
        if (entry?.atMs === atMs) this.delete(entry);
      },
      clear: () => {
        const standing = named.byKey.get(canonicalKey(this.currentKey()))?.standing;
        if (standing instanceof Map) for (const entry of [...standing.values()]) this.delete(entry);
        else if (standing !== undefined) this.delete(standing);
      },
    };
  }

  takeDue(limitMs: number): DueTimer | undefined {
    const entry = this.peek();
    if (entry === undefined || entry.atMs >= limitMs) {
      // Here, where no record is at work whose changes may yet be undone.
      for (const named of this.named.values()) dropIdleKeys(named);
      return undefined;
    }
    this.queue.shift();
    this.forget(entry);
    const { named, key } = entry.of;
    return { name: named.name, key: keyOfCanonical(key), atMs: entry.atMs };
  }

  nextMs(): number {
    return this.count === 0 ? Infinity : (this.peek()?.atMs ?? Infinity);
  }

  private namedOf(name: string): NamedTimers {
    let named = this.named.get(name);
    if (named === undefined) {
      named = { name, byKey: new Map(), idleKeys: 0 };
      this.named.set(name, named);
    }
    return named;
  }

  private set(named: NamedTimers, atMs: number): void {
    if (!Number.isSafeInteger(atMs)) {
      const detail = `timer ${named.name} was set to ${String(atMs)}`;
      throw new MillraceError('ERR_TIMER_INVALID', detail);
    }
    const timers = timersOf(named, canonicalKey(this.currentKey()));
    const { standing } = timers;
    if (standing instanceof Map ? standing.has(atMs) : standing?.atMs === atMs) return;
    this.sequence += 1;
    const entry: Entry = { atMs, sequence: this.sequence, of: timers, stands: true };
    this.remember(entry);
    this.queue.push(entry);
    if (this.undo.isOn) this.undo.push(() => this.forget(entry));
  }

  private delete(entry: Entry): void {
    this.forget(entry);
    if (!this.undo.isOn) return;
    this.undo.push(() => {
      entry.stands = true;
      this.remember(entry);
      // It may have been passed over meanwhile; being in the queue twice, it is taken once.
      this.queue.push(entry);
    });
  }

  private remember(entry: Entry): void {
    this.count += 1;
    const timers = entry.of;
    const { standing } = timers;
    if (standing instanceof Map) standing.set(entry.atMs, entry);
    else if (standing !== undefined) {
      timers.standing = new Map([standing, entry].map((one) => [one.atMs, one]));
    } else {
      timers.standing = entry;
      timers.named.idleKeys -= 1;
    }
  }

  private forget(entry: Entry): void {
    this.count -= 1;
    entry.stands = false;
    const { named, standing } = entry.of;
    if (standing instanceof Map) {
      standing.delete(entry.atMs);
      if (standing.size > 0) return;
    }
    entry.of.standing = undefined;
    named.idleKeys += 1;
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

/** The timers of a key; without any it counts as idle until there is one. */
function timersOf(named: NamedTimers, key: CanonicalKey): KeyTimers {
  let timers = named.byKey.get(key);
  if (timers === undefined) {
    timers = { named, key, standing: undefined };
    named.byKey.set(key, timers);
    named.idleKeys += 1;
  }
  return timers;
}

function dropIdleKeys(named: NamedTimers): void {
  const { byKey, idleKeys } = named;
  if (idleKeys <= Math.max(stateLimits.idleTimerKeysMax, byKey.size / 2)) return;
  for (const [key, { standing }] of byKey) if (standing === undefined) byKey.delete(key);
  named.idleKeys = 0;
}
