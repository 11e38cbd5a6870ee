import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

const gapMs = 10_000;
/** How often, in event time, all sessions are looked through for those that have ended. */
const scanMs = 1_000;

/** Consecutive bids of one bidder. */
interface Session {
  /** Time of the first bid, in epoch milliseconds. */
  start: number;
  /** Time of the last bid, in epoch milliseconds. */
  last: number;
  count: number;
}

/** Bids of each bidder per session with a gap of 10 s. */
export class LoopQ11 implements Loop {
  readonly #rows: RowBuffer;
  /** The open sessions of each bidder: one, but for disorder. */
  readonly #sessions = new Map<number, Session[]>();
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
        session = only(this.#sessions.get(bidder));
      }
      if (session === undefined || !touches(session, time)) {
        this.#add(bidder, time);
        session = only(this.#sessions.get(bidder));
        continue;
      }
      session.count++;
      if (time > session.last) session.last = time;
      else if (time < session.start) session.start = time;
    }
  }

  watermark(time: number): void {
    this.#watermark = time;
    if (time < this.#nextScan) return;
    this.#nextScan = time + scanMs;
    for (const [bidder, sessions] of this.#sessions) {
      // A bid at the very end of a session may still come when the watermark is there.
      const ended = sessions.filter(({ last }) => last + gapMs < time);
      if (ended.length === 0) continue;
      for (const session of ended) this.#emit(bidder, session);
      if (ended.length === sessions.length) this.#sessions.delete(bidder);
      else
        this.#sessions.set(
          bidder,
          sessions.filter((session) => !ended.includes(session)),
        );
    }
  }

  end(): void {
    this.watermark(Number.POSITIVE_INFINITY);
    this.#rows.flush();
  }

  /** Opens a session, or joins those that the bid connects. */
  #add(bidder: number, time: number): void {
    const sessions = this.#sessions.get(bidder) ?? [];
    const touched = sessions.filter((session) => touches(session, time));
    if (touched.length === 0 && time + gapMs < this.#watermark) return;
    const joined = {
      start: Math.min(time, ...touched.map(({ start }) => start)),
      last: Math.max(time, ...touched.map(({ last }) => last)),
      count: touched.reduce((sum, { count }) => sum + count, 1),
    };
    const others = sessions.filter((session) => !touched.includes(session));
    this.#sessions.set(bidder, [...others, joined]);
  }

  #emit(bidder: number, { start, last, count }: Session): void {
    const end = last + gapMs;
    this.#rows.push([bidder, count, start, end], end - 1);
  }
}

/** The bidder's session if there is just one. */
function only(sessions: readonly Session[] | undefined): Session | undefined {
  return sessions?.length === 1 ? sessions[0] : undefined;
}

/** A bid exactly one gap after the last one still belongs to the session. */
function touches(session: Session, time: number): boolean {
  return time <= session.last + gapMs && time >= session.start - gapMs;
}
