import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

/** Bids, passed through. */
export class LoopQ0 implements Loop {
  readonly #rows: RowBuffer;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    const rows = this.#rows;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      rows.push([e.auction, e.bidder, e.price, e.dateTime, e.extra], timestamps[i]!);
    }
  }

  watermark(): void {}

  end(): void {
    this.#rows.flush();
  }
}
