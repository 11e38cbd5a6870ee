import type { EventBatch } from '../input.js';
import { piece, pieceEnd } from '../url-pieces.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

/** Bids with the pieces 3, 4 and 5 of their url; a piece that is not there is null. */
export class LoopQ22 implements Loop {
  readonly #rows: RowBuffer;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    const rows = this.#rows;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      const url = e.url;
      const end2 = pieceEnd(url, pieceEnd(url, pieceEnd(url, -1)));
      const end3 = pieceEnd(url, end2);
      const end4 = pieceEnd(url, end3);
      const end5 = pieceEnd(url, end4);
      rows.push(
        [
          e.auction,
          e.bidder,
          e.price,
          e.channel,
          piece(url, end2, end3),
          piece(url, end3, end4),
          piece(url, end4, end5),
        ],
        timestamps[i]!,
      );
    }
  }

  watermark(): void {}

  end(): void {
    this.#rows.flush();
  }
}
