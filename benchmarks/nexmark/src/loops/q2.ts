import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

/** Bids on every 123rd auction. */
export class LoopQ2 implements Loop {
  readonly #rows: RowBuffer;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    const rows = this.#rows;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      if (e.auction % 123 === 0) rows.push([e.auction, e.price], timestamps[i]!);
    }
  }

  watermark(): void {}

  end(): void {
    this.#rows.flush();
  }
}
