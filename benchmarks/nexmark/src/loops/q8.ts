import type { EventBatch } from '../input.js';
import type { Loop } from './loop.js';
import { RowBuffer, type RowSink } from './row-sink.js';

const windowMs = 10_000;

interface Window {
  /** Names of the persons who registered, by id: nobody registers twice. */
  readonly names: Map<number, string>;
  readonly sellers: Set<number>;
}

/** Persons who registered and opened an auction in the same tumbling window of 10 s. */
export class LoopQ8 implements Loop {
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
      if (e.kind === 'bid') continue;
      const time = timestamps[i]!;
      if (!(time >= start && time < start + windowMs)) {
        start = Math.floor(time / windowMs) * windowMs;
        window = this.#windowAt(start);
      }
      if (window === undefined) continue;
      if (e.kind === 'person') window.names.set(e.id, e.name);
      else window.sellers.add(e.seller);
    }
  }

  watermark(time: number): void {
    this.#watermark = time;
    for (const [start, window] of this.#windows) {
      if (start + windowMs > time) continue;
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
    if (known !== undefined || start + windowMs <= this.#watermark) return known;
    const window: Window = { names: new Map(), sellers: new Set() };
    this.#windows.set(start, window);
    return window;
  }

  #fire(start: number, { names, sellers }: Window): void {
    for (const [id, name] of names) {
      if (sellers.has(id)) this.#rows.push([id, name, start], start + windowMs - 1);
    }
  }
}
