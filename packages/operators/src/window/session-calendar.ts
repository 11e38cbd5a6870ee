import type { Key } from '@millrace/core/spi';
import { firstIndex } from './pane-store.js';

/** What stands in the calendar: a key's latest session, or an older one. */
export type SessionRef = { readonly key: Key; readonly number: number | undefined };

/** A bucket being looked at: it is out of the calendar. */
export interface OpenBucket {
  readonly bucket: number;
  readonly sessions: readonly SessionRef[];
  next: number;
  /** Up to here the sessions have been loaded, where their rows may be outside memory. */
  loaded: number;
}

/** Buckets of a gap: a session that goes on is moved this many times a gap at the most. */
const bucketsPerGap = 64;

/**
 * When sessions may be due, in coarse buckets of time. A session that is extended stays where it
 * stands and moves on when its bucket is looked at: so a record costs no timer at all.
 */
export class SessionCalendar {
  private readonly buckets = new Map<number, SessionRef[]>();
  /** Bucket numbers in order. */
  private readonly order: number[] = [];
  private readonly widthMs: number;

  constructor(gapMs: number) {
    this.widthMs = Math.max(1, Math.ceil(gapMs / bucketsPerGap));
  }

  bucketOf(timeMs: number): number {
    return Math.floor(timeMs / this.widthMs);
  }

  add(bucket: number, session: SessionRef): void {
    const entries = this.buckets.get(bucket);
    if (entries !== undefined) {
      entries.push(session);
      return;
    }
    this.buckets.set(bucket, [session]);
    this.order.splice(
      firstIndex(this.order, (other) => other > bucket),
      0,
      bucket,
    );
  }

  /** Takes out the earliest bucket that begins before `timeMs`. */
  takeBefore(timeMs: number): OpenBucket | undefined {
    const bucket = this.order[0];
    if (bucket === undefined || bucket * this.widthMs >= timeMs) return undefined;
    const sessions = this.buckets.get(bucket)!;
    this.order.shift();
    this.buckets.delete(bucket);
    return { bucket, sessions, next: 0, loaded: 0 };
  }
}
