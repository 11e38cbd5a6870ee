import { euroText } from '../euro.js';
import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const letterC = 99;

// The amounts 1,000,000 and 50,000,000 as prices, so that comparing needs no multiplication.
const priceAbove = Math.floor(1_000_000_000 / 908);
const priceBelow = Math.ceil(50_000_000_000 / 908);

/** The kind of day of each hour. */
const kindOfHour = Array.from({ length: 24 }, (_, hour) => {
  if (hour >= 8 && hour <= 18) return 'dayTime';
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime';
});

/** Bids of a middling price, with the kind of day and the number of letters c in `extra`. */
export class LoopQ14 implements Loop {
  readonly #rows: RowBuffer;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    const rows = this.#rows;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      const price = e.price;
      if (price <= priceAbove || price >= priceBelow) continue;
      const kind = kindOfHour[hourOfDay(e.dateTime)];
      const letters = lettersC(e.extra);
      rows.push(
        [e.auction, e.bidder, euroText(price), kind, e.dateTime, e.extra, letters],
        timestamps[i]!,
      );
    }
  }

  watermark(): void {}

  end(): void {
    this.#rows.flush();
  }
}

/** Also right before 1970. */
function hourOfDay(time: number): number {
  return Math.floor(time / hourMs) - Math.floor(time / dayMs) * 24;
}

function lettersC(text: string): number {
  let letters = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === letterC) letters++;
  return letters;
}
