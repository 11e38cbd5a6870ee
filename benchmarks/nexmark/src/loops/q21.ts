import { channelIdOf } from '../channel-id.js';
import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

/** Bids with the id of their channel: by its name, else from the url; others are left out. */
export class LoopQ21 implements Loop {
  readonly #rows: RowBuffer;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    const rows = this.#rows;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      const id = channelIdOf(e.channel, e.url);
      if (id === undefined) continue;
      rows.push([e.auction, e.bidder, e.price, e.channel, id], timestamps[i]!);
    }
  }

  watermark(): void {}

  end(): void {
    this.#rows.flush();
  }
}
