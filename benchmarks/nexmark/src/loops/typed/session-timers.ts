/** Consecutive bids of one bidder. */
export interface Session {
  readonly bidder: number;
  /** Time of the first bid, in epoch milliseconds. */
  start: number;
  /** Time of the last bid, in epoch milliseconds. */
  last: number;
  /** Bids; 0 once the session has become part of another. */
  count: number;
  /** Another open session of the same bidder. */
  next: Session | undefined;
}

const bucketMs = 256;

/**
 * Finds the sessions that have ended. A session lies in the bucket of the end it had when it was
 * last looked at; when that time has come and it has gone on since, it moves to a later bucket.
 * So a bid that prolongs a session costs nothing here.
 */
export class SessionTimers {
  readonly #gapMs: number;
  readonly #buckets = new Map<number, Session[]>();

  constructor(gapMs: number) {
    this.#gapMs = gapMs;
  }

  /** Begins to watch a session. */
  add(session: Session): void {
    const bucket = this.#bucketOf(session);
    const sessions = this.#buckets.get(bucket);
    if (sessions === undefined) this.#buckets.set(bucket, [session]);
    else sessions.push(session);
  }

  /** Calls back for the sessions that ended before `time`, and forgets them. */
  advance(time: number, expire: (session: Session) => void): void {
    const due = Math.floor(time / bucketMs);
    for (const [bucket, sessions] of this.#buckets) {
      if (bucket > due) continue;
      const waiting: Session[] = [];
      for (const session of sessions) {
        if (session.count === 0) continue;
        if (session.last + this.#gapMs < time) expire(session);
        else if (this.#bucketOf(session) === bucket) waiting.push(session);
        else this.add(session);
      }
      if (waiting.length > 0) this.#buckets.set(bucket, waiting);
      else this.#buckets.delete(bucket);
    }
  }

  #bucketOf(session: Session): number {
    return Math.floor((session.last + this.#gapMs) / bucketMs);
  }
}
