import type { EventBatch } from '../input.js';
import type { RowSink } from '../loops/row-sink.js';
import type { Contender } from './contender.js';

/** Tells sets of rows apart, whatever the order of their rows, without keeping any. */
class HashingSink implements RowSink {
  #count = 0;
  #sumA = 0;
  #sumB = 0;

  /** Equal for equal multisets of rows, and hardly ever for others. */
  get digest(): string {
    return `${this.#count} rows, ${this.#sumA.toString(16)}-${this.#sumB.toString(16)}`;
  }

  write(rows: readonly unknown[], timestamps: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const text = `${timestamps[i]} ${JSON.stringify(rows[i])}`;
      this.#sumA = (this.#sumA + hashOf(text, 0x811c9dc5)) >>> 0;
      this.#sumB = (this.#sumB + hashOf(text, 0x3c6ef372)) >>> 0;
    }
    this.#count += count;
  }
}

/** FNV-1a with the bits mixed at the end, so that sums of hashes are as good as the hashes. */
function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Rows of a contender over the events, to be compared: their number and a hash. */
export async function digestOf(
  contender: Contender,
  events: readonly EventBatch[],
): Promise<string> {
  const sink = new HashingSink();
  const running = contender.start(sink);
  await running.push(events);
  await running.end();
  return sink.digest;
}
