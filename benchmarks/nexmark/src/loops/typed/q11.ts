import type { EventBatch } from '../../input.js';
import type { Loop } from '../loop.js';
import { RowBuffer, type RowSink } from '../row-sink.js';
import { type Session, SessionTimers } from './session-timers.js';

const gapMs = 10_000;

/** Bids of each bidder per session with a gap of 10 s; timers cost a bid nothing. */
export class TypedLoopQ11 implements Loop {
  readonly #rows: RowBuffer;
  /** The open sessions of each bidder, as a list that has one element but for disorder. */
  readonly #sessions = new Map<number, Session>();
  readonly #timers = new SessionTimers(gapMs);
  readonly #expire = (session: Session): void => this.#fire(session);
  #watermark = Number.NEGATIVE_INFINITY;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    let bidder = Number.NaN;
    let session: Session | undefined;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      const time = timestamps[i]!;
      // Three bids of four are of the hot bidder: remember the last one.
      if (e.bidder !== bidder) {
        bidder = e.bidder;
        session = this.#sessions.get(bidder);
      }
      if (session === undefined || session.next !== undefined || !touches(session, time)) {
        this.#addSlowly(bidder, time);
        session = this.#sessions.get(bidder);
      } else {
        session.count++;
        if (time > session.last) session.last = time;
        else if (time < session.start) session.start = time;
      }
    }
  }

  watermark(time: number): void {
    this.#watermark = time;
    this.#timers.advance(time, this.#expire);
  }

  end(): void {
    this.watermark(Number.POSITIVE_INFINITY);
    this.#rows.flush();
  }

  /** Opens a session, or joins those that the bid connects. */
  #addSlowly(bidder: number, time: number): void {
    let joined: Session | undefined;
    let head: Session | undefined;
    for (let s = this.#sessions.get(bidder), next: typeof s; s !== undefined; s = next) {
      next = s.next;
      if (joined !== undefined && touches(s, time)) {
        absorb(joined, s);
        continue;
      }
      if (touches(s, time)) joined = s;
      s.next = head;
      head = s;
    }
    if (joined !== undefined) absorb(joined, sessionOf(bidder, time));
    else if (time + gapMs >= this.#watermark) head = this.#open(bidder, time, head);
    if (head !== undefined) this.#sessions.set(bidder, head);
  }

  #open(bidder: number, time: number, next: Session | undefined): Session {
    const session = sessionOf(bidder, time, next);
    this.#timers.add(session);
    return session;
  }

  #fire(session: Session): void {
    const { bidder, start, last, count, next } = session;
    const end = last + gapMs;
    this.#rows.push([bidder, count, start, end], end - 1);
    const head = this.#sessions.get(bidder)!;
    if (head !== session) {
      let before = head;
      while (before.next !== session) before = before.next!;
      before.next = next;
    } else if (next !== undefined) this.#sessions.set(bidder, next);
    else this.#sessions.delete(bidder);
  }
}

function sessionOf(bidder: number, time: number, next?: Session): Session {
  return { bidder, start: time, last: time, count: 1, next };
}

/** A bid exactly one gap after the last one still belongs to the session. */
function touches(session: Session, time: number): boolean {
  return time <= session.last + gapMs && time >= session.start - gapMs;
}

function absorb(session: Session, other: Session): void {
  session.start = Math.min(session.start, other.start);
  session.last = Math.max(session.last, other.last);
  session.count += other.count;
  other.count = 0;
}
