import { type Key, MillraceError } from '@millrace/core';
import { type CanonicalKey, canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import type { DueTimer, Timer, TimerService } from '@millrace/core/spi';
import { stateLimits } from './limits.js';
import type { UndoLog } from './undo-log.js';

interface Entry {
  readonly atMs: number;
  readonly sequence: number;
  readonly of: NamedTimers;
  readonly key: CanonicalKey;
  /** False once it was deleted or taken; then it is passed over when its bucket is due. */
  stands: boolean;
}

/** Timers of one name. A key with one timer, which is the most common, has no map of its own. */
interface NamedTimers {
  readonly name: string;
  readonly byKey: Map<CanonicalKey, Entry | Map<number, Entry>>;
}

/** Later entries first, so that the next one is popped from the end. */
const laterFirst = (a: Entry, b: Entry): number => b.atMs - a.atMs || b.sequence - a.sequence;

/**
 * Timers in buckets of about a second: setting one is a push, and only the bucket that is due is
 * sorted. Which timers stand is kept by name and key.
 */
export class HeapTimers implements TimerService {
  private readonly named = new Map<string, NamedTimers>();
  private readonly buckets = new Map<number, Entry[]>();
  /** Numbers of the buckets as a binary heap, lowest first. */
  private readonly heap: number[] = [];
  /** The lowest bucket, sorted. */
  private current: { readonly bucket: number; readonly entries: Entry[] } | undefined;
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
    const timers = this.timersOf(name);
    return {
      set: (atMs) => this.set(timers, canonicalKey(this.currentKey()), atMs),
      delete: (atMs) => {
        const found = timers.byKey.get(canonicalKey(this.currentKey()));
        const entry = found instanceof Map ? found.get(atMs) : found;
        if (entry?.atMs === atMs) this.delete(entry);
      },
      clear: () => {
        const found = timers.byKey.get(canonicalKey(this.currentKey()));
        if (found instanceof Map) for (const entry of [...found.values()]) this.delete(entry);
        else if (found !== undefined) this.delete(found);
      },
    };
  }

  takeDue(limitMs: number): DueTimer | undefined {
    const entry = this.peek();
    if (entry === undefined || entry.atMs >= limitMs) return undefined;
    this.current!.entries.pop();
    this.forget(entry);
    return { name: entry.of.name, key: keyOfCanonical(entry.key), atMs: entry.atMs };
  }

  nextMs(): number {
    return this.count === 0 ? Infinity : (this.peek()?.atMs ?? Infinity);
  }

  private timersOf(name: string): NamedTimers {
    let timers = this.named.get(name);
    if (timers === undefined) {
      timers = { name, byKey: new Map() };
      this.named.set(name, timers);
    }
    return timers;
  }

  private set(timers: NamedTimers, key: CanonicalKey, atMs: number): void {
    if (!Number.isSafeInteger(atMs)) {
      const detail = `timer ${timers.name} was set to ${String(atMs)}`;
      throw new MillraceError('ERR_TIMER_INVALID', detail);
    }
    const found = timers.byKey.get(key);
    if (found instanceof Map ? found.has(atMs) : found?.atMs === atMs) return;
    this.sequence += 1;
    const entry: Entry = { atMs, sequence: this.sequence, of: timers, key, stands: true };
    this.remember(entry, found);
    this.enter(entry);
    if (this.undo.isOn) this.undo.push(() => this.forget(entry));
  }

  private delete(entry: Entry): void {
    this.forget(entry);
    if (!this.undo.isOn) return;
    this.undo.push(() => {
      entry.stands = true;
      this.remember(entry, entry.of.byKey.get(entry.key));
      // It may have been passed over meanwhile; standing in a bucket twice, it is taken once.
      this.enter(entry);
    });
  }

  /** @param found what is kept for its key now */
  private remember(entry: Entry, found: Entry | Map<number, Entry> | undefined): void {
    this.count += 1;
    const { atMs, key, of: timers } = entry;
    if (found === undefined) timers.byKey.set(key, entry);
    else if (found instanceof Map) found.set(atMs, entry);
    else {
      const entries = [found, entry].map((one) => [one.atMs, one] as const);
      timers.byKey.set(key, new Map(entries));
    }
  }

  private forget(entry: Entry): void {
    const { atMs, key, of: timers } = entry;
    entry.stands = false;
    this.count -= 1;
    const found = timers.byKey.get(key);
    if (found instanceof Map) {
      found.delete(atMs);
      if (found.size > 0) return;
    }
    timers.byKey.delete(key);
  }

  private enter(entry: Entry): void {
    const bucket = Math.floor(entry.atMs / stateLimits.timerBucketMs);
    const { current } = this;
    if (current !== undefined && bucket <= current.bucket) {
      if (bucket < current.bucket) this.putBack(current);
      else {
        const at = current.entries.findIndex((other) => laterFirst(entry, other) <= 0);
        current.entries.splice(at < 0 ? current.entries.length : at, 0, entry);
        return;
      }
    }
    const entries = this.buckets.get(bucket);
    if (entries !== undefined) entries.push(entry);
    else {
      this.buckets.set(bucket, [entry]);
      push(this.heap, bucket);
    }
  }

  private putBack({ bucket, entries }: NonNullable<typeof this.current>): void {
    this.current = undefined;
    if (entries.length === 0) return;
    this.buckets.set(bucket, entries);
    push(this.heap, bucket);
  }

  /** The earliest timer that still stands. */
  private peek(): Entry | undefined {
    for (;;) {
      this.current ??= this.nextBucket();
      if (this.current === undefined) return undefined;
      const entry = this.current.entries.at(-1);
      if (entry === undefined) this.current = undefined;
      else if (entry.stands) return entry;
      else this.current.entries.pop();
    }
  }

  private nextBucket(): { readonly bucket: number; readonly entries: Entry[] } | undefined {
    const bucket = pop(this.heap);
    if (bucket === undefined) return undefined;
    const entries = this.buckets.get(bucket)!;
    this.buckets.delete(bucket);
    return { bucket, entries: entries.length > 1 ? entries.sort(laterFirst) : entries };
  }
}

function push(heap: number[], value: number): void {
  let at = heap.length;
  heap.push(value);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

function pop(heap: number[]): number | undefined {
  const lowest = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return lowest;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child += 1;
    if (heap[child]! >= last) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return lowest;
}
