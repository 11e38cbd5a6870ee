import type { EventBatch } from '../../input.js';
import type { Loop } from '../loop.js';
import { RowBuffer, type RowSink } from '../row-sink.js';
import { IntCounts } from './int-counts.js';

const paneMs = 2_000;
const panesPerWindow = 5;

/**
 * The auctions with the most bids per sliding window of 10 s every 2 s. Bids are counted once per
 * pane of 2 s, in open-addressing tables; window `k` is the sum of the panes `k` … `k + 4`.
 */
export class TypedLoopQ5 implements Loop {
  readonly #rows: RowBuffer;
  readonly #panes = new Map<number, IntCounts>();
  readonly #free: IntCounts[] = [];
  readonly #sum = new IntCounts();
  #watermark = Number.NEGATIVE_INFINITY;
  /** The first window that has not been emitted; infinite while there is no pane. */
  #nextWindow = Number.POSITIVE_INFINITY;

  constructor(sink: RowSink) {
    this.#rows = new RowBuffer(sink);
  }

  batch({ values, timestamps, count }: EventBatch): void {
    let paneStart = Number.NaN;
    let pane: IntCounts | undefined;
    for (let i = 0; i < count; i++) {
      const e = values[i]!;
      if (e.kind !== 'bid') continue;
      const time = timestamps[i]!;
      if (!(time >= paneStart && time < paneStart + paneMs)) {
        const index = Math.floor(time / paneMs);
        paneStart = index * paneMs;
        pane = this.#paneOf(index);
      }
      if (pane !== undefined) pane.add(e.auction, 1);
    }
  }

  watermark(time: number): void {
    this.#watermark = time;
    while ((this.#nextWindow + panesPerWindow) * paneMs <= time) this.#fire(this.#nextWindow);
  }

  end(): void {
    while (this.#panes.size > 0) this.#fire(this.#nextWindow);
    this.#rows.flush();
  }

  /** The counts of a pane; undefined if all its windows have been emitted. */
  #paneOf(index: number): IntCounts | undefined {
    const known = this.#panes.get(index);
    if (known !== undefined) return known;
    const firstOpen = Math.floor(this.#watermark / paneMs) - panesPerWindow + 1;
    if (index < firstOpen) return undefined;
    const first = Math.max(index - panesPerWindow + 1, firstOpen);
    this.#nextWindow = Math.min(this.#nextWindow, first);
    const pane = this.#free.pop() ?? new IntCounts();
    this.#panes.set(index, pane);
    return pane;
  }

  #fire(window: number): void {
    const sum = this.#sum;
    for (let index = window; index < window + panesPerWindow; index++) {
      const pane = this.#panes.get(index);
      if (pane !== undefined) sum.addAll(pane);
    }
    const most = sum.max();
    const timestamp = (window + panesPerWindow) * paneMs - 1;
    if (most > 0)
      for (const auction of sum.keysOf(most)) this.#rows.push([auction, most], timestamp);
    sum.clear();
    this.#drop(window);
    this.#nextWindow = this.#panes.size > 0 ? window + 1 : Number.POSITIVE_INFINITY;
  }

  /** Pane `index` is in no window after the one that it begins. */
  #drop(index: number): void {
    const pane = this.#panes.get(index);
    if (pane === undefined) return;
    pane.clear();
    this.#free.push(pane);
    this.#panes.delete(index);
  }
}
