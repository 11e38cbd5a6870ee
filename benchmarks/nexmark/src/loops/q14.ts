import { dayKind } from '../day-kind.js';
import { euroText, isMiddlingPrice } from '../euro.js';
import type { EventBatch } from '../input.js';
import { lettersC } from '../letters.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

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
      if (!isMiddlingPrice(price)) continue;
      const kind = dayKind(e.dateTime);
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
