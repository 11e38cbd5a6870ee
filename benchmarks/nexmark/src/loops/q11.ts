import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

const gapMs = 10_000;
/** How often, in event time, all sessions are looked through for those that have ended. */
const scanMs = 1_000;

/** Consecutive bids of one bidder. */
interface Session {
  readonly bidder: number;
  /** Time of the first bid, in epoch milliseconds. */
  start: number;
  /** Time of the last bid, in epoch milliseconds. */
  last: number;
  count: number;
}

/** Bids of each bidder per session with a gap of 10 s. */
export class LoopQ11 implements Loop {
  readonly #rows: RowBuffer;
  /** The latest open session of each bidder. */
  readonly #latest = new Map<number, Session>();
  /** Open sessions whose bidder has a later one: few, and only because of disorder. */
  #older: Session[] = [];
  #watermark = Number.NEGATIVE_INFINITY;
  #nextScan = Number.NEGATIVE_INFINITY;

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
        session = this.#latest.get(bidder);
      }
      if (session !== undefined && time >= session.start && time <= session.last + gapMs) {
        session.count++;
        if (time > session.last) session.last = time;
      } else {
        this.#add(bidder, time);
        session = this.#latest.get(bidder);
      }
    }
  }

  watermark(time: number): void {
    this.#watermark = time;
    if (time < this.#nextScan) return;
    this.#nextScan = time + scanMs;
    // A bid at the very end of a session may still come when the watermark is there.
    const ended = ({ last }: Session): boolean => last + gapMs < time;
    for (const session of this.#older) if (ended(session)) this.#emit(session);
    this.#older = this.#older.filter((session) => !ended(session));
    for (const session of this.#latest.values()) {
      if (!ended(session)) continue;
      this.#emit(session);
      this.#latest.delete(session.bidder);
    }
  }

  end(): void {
    this.watermark(Number.POSITIVE_INFINITY);
    this.#rows.flush();
  }

  /** Opens a session, or joins those that the bid connects. */
  #add(bidder: number, time: number): void {
    const latest = this.#latest.get(bidder);
    const own = this.#older.filter((session) => session.bidder === bidder);
    if (latest !== undefined) own.push(latest);
    const joined: Session = { bidder, start: time, last: time, count: 1 };
    const apart: Session[] = [];
    for (const session of own) {
      if (!touches(session, time)) {
        apart.push(session);
        continue;
      }
      joined.start = Math.min(joined.start, session.start);
      joined.last = Math.max(joined.last, session.last);
      joined.count += session.count;
    }
    if (apart.length === own.length && time + gapMs < this.#watermark) return;
    const sorted = [...apart, joined].sort((a, b) => a.last - b.last);
    this.#latest.set(bidder, sorted.pop()!);
    if (own.length > 1) this.#older = this.#older.filter((session) => session.bidder !== bidder);
    this.#older.push(...sorted);
  }

  #emit({ bidder, start, last, count }: Session): void {
    const end = last + gapMs;
    this.#rows.push([bidder, count, start, end], end - 1);
  }
}

/** A bid exactly one gap after the last one still belongs to the session. */
function touches(session: Session, time: number): boolean {
  return time <= session.last + gapMs && time >= session.start - gapMs;
}
