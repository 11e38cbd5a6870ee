import { type Key, MillraceError } from '@millrace/core';
import { type CanonicalKey, canonicalKey, keyOfCanonical } from '@millrace/core/internal';
import type { DueTimer, Timer, TimerService } from '@millrace/core/spi';
import { stateLimits } from './limits.js';
import type { UndoLog } from './undo-log.js';

interface Entry {
  readonly atMs: number;
  readonly sequence: number;
  readonly name: string;
  readonly key: CanonicalKey;
}

/** Later entries first, so that the next one is popped from the end. */
const laterFirst = (a: Entry, b: Entry): number => b.atMs - a.atMs || b.sequence - a.sequence;

/**
 * Timers in buckets of about a second: setting one is a push, and only the bucket that is due is
 * sorted. Which timers exist is kept by name and key; an entry that does not stand there any more
 * is passed over when its bucket is due.
 */
export class HeapTimers implements TimerService {
  private readonly times = new Map<string, Map<CanonicalKey, Map<number, number>>>();
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
    return {
      set: (atMs) => this.set(name, canonicalKey(this.currentKey()), atMs),
      delete: (atMs) => this.delete(name, canonicalKey(this.currentKey()), atMs),
      clear: () => {
        const key = canonicalKey(this.currentKey());
        const times = this.times.get(name)?.get(key);
        for (const atMs of [...(times?.keys() ?? [])]) this.delete(name, key, atMs);
      },
    };
  }

  takeDue(limitMs: number): DueTimer | undefined {
    const entry = this.peek();
    if (entry === undefined || entry.atMs >= limitMs) return undefined;
    this.current!.entries.pop();
    this.forget(entry.name, entry.key, entry.atMs);
    return { name: entry.name, key: keyOfCanonical(entry.key), atMs: entry.atMs };
  }

  nextMs(): number {
    return this.count === 0 ? Infinity : (this.peek()?.atMs ?? Infinity);
  }

  private set(name: string, key: CanonicalKey, atMs: number): void {
    if (!Number.isSafeInteger(atMs)) {
      throw new MillraceError('ERR_TIMER_INVALID', `timer ${name} was set to ${String(atMs)}`);
    }
    const times = this.timesOf(name, key);
    if (times.has(atMs)) return;
    this.undo.push(() => this.forget(name, key, atMs));
    this.sequence += 1;
    times.set(atMs, this.sequence);
    this.count += 1;
    this.enter({ atMs, sequence: this.sequence, name, key });
  }

  private delete(name: string, key: CanonicalKey, atMs: number): void {
    const sequence = this.times.get(name)?.get(key)?.get(atMs);
    if (sequence === undefined) return;
    this.forget(name, key, atMs);
    this.undo.push(() => {
      this.timesOf(name, key).set(atMs, sequence);
      this.count += 1;
      // Its entry may have been passed over meanwhile; two of them are one timer.
      this.enter({ atMs, sequence, name, key });
    });
  }

  private forget(name: string, key: CanonicalKey, atMs: number): void {
    const keys = this.times.get(name)!;
    const times = keys.get(key)!;
    times.delete(atMs);
    this.count -= 1;
    if (times.size === 0) keys.delete(key);
  }

  private timesOf(name: string, key: CanonicalKey): Map<number, number> {
    const keys = getOrMake(this.times, name, () => new Map<CanonicalKey, Map<number, number>>());
    return getOrMake(keys, key, () => new Map<number, number>());
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
      else if (this.stands(entry)) return entry;
      else this.current.entries.pop();
    }
  }

  private stands({ name, key, atMs, sequence }: Entry): boolean {
    return this.times.get(name)?.get(key)?.get(atMs) === sequence;
  }

  private nextBucket(): { readonly bucket: number; readonly entries: Entry[] } | undefined {
    const bucket = pop(this.heap);
    if (bucket === undefined) return undefined;
    const entries = this.buckets.get(bucket)!;
    this.buckets.delete(bucket);
    return { bucket, entries: entries.sort(laterFirst) };
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
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
