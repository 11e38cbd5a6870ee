import type { EventBatch } from '../input.js';
import type { Bid } from '../model.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

const windowMs = 10_000;

/** The highest price of a window, and the bids that may be rows of it. */
interface Window {
  max: number;
  /** Bids inside the window with the price `max`. */
  winners: Bid[];
  /** Bids on the window's end, which is outside for `max` but inside for the result. */
  readonly onEnd: Bid[];
}

/** The bids with the highest price per tumbling window of 10 s, the end included. */
export class LoopQ7 implements Loop {
  readonly #rows: RowBuffer;
  /** Open windows by start. */
  readonly #windows = new Map<number, Window>();
  #watermark = Number.NEGATIVE_INFINITY;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    let start = Number.NaN;
    let window: Window | undefined;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      const time = timestamps[i]!;
      if (!(time > start && time < start + windowMs)) {
        start = Math.floor(time / windowMs) * windowMs;
        window = this.#windowAt(start);
        if (time === start) this.#windowAt(start - windowMs)?.onEnd.push(e);
      }
      if (window === undefined || e.price < window.max) continue;
      if (e.price === window.max) window.winners.push(e);
      else {
        window.max = e.price;
        window.winners = [e];
      }
    }
  }

  watermark(time: number): void {
    this.#watermark = time;
    for (const [start, window] of this.#windows) {
      // A bid on the end may still come when the watermark is there.
      if (start + windowMs >= time) continue;
      this.#fire(start, window);
      this.#windows.delete(start);
    }
  }

  end(): void {
    this.watermark(Number.POSITIVE_INFINITY);
    this.#rows.flush();
  }

  /** The window that starts at `start`; undefined if it has been emitted. */
  #windowAt(start: number): Window | undefined {
    const known = this.#windows.get(start);
    if (known !== undefined || start + windowMs < this.#watermark) return known;
    const window: Window = { max: -1, winners: [], onEnd: [] };
    this.#windows.set(start, window);
    return window;
  }

  #fire(start: number, { max, winners, onEnd }: Window): void {
    const timestamp = start + windowMs;
    const emit = (b: Bid): void =>
      this.#rows.push([b.auction, b.price, b.bidder, b.dateTime, b.extra], timestamp);
    winners.forEach(emit);
    onEnd.filter((bid) => bid.price === max).forEach(emit);
  }
}
