import type { EventBatch } from '../input.js';

/**
 * A query written by hand: what the engine's overhead is measured against. State stays bounded by
 * dropping windows and sessions once the watermark has passed them.
 */
export interface Loop {
  /** Takes a batch of events; it is not changed, and not kept after the call. */
  batch(batch: EventBatch): void;
  /** Told after batches: no event earlier than `time` (epoch ms) is awaited. Never descends. */
  watermark(time: number): void;
  /** Told once after the last batch: emits all that is open. */
  end(): void;
}

/** Events may be this far behind the latest one. */
export const outOfOrdernessMs = 4_000;

/** Gives a loop batches, with a watermark after each. */
export class LoopDriver {
  readonly #loop: Loop;
  #latest = Number.NEGATIVE_INFINITY;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  push(batches: readonly EventBatch[]): void {
    for (const batch of batches) {
      this.#loop.batch(batch);
      this.#latest = Math.max(this.#latest, latestOf(batch.timestamps, batch.count));
      this.#loop.watermark(this.#latest - outOfOrdernessMs);
    }
  }

  end(): void {
    this.#loop.end();
  }
}

/** Runs a loop over all batches there are. */
export function drive(loop: Loop, batches: readonly EventBatch[]): void {
  const driver = new LoopDriver(loop);
  driver.push(batches);
  driver.end();
}

function latestOf(timestamps: Float64Array, count: number): number {
  let latest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const time = timestamps[i]!;
    if (time > latest) latest = time;
  }
  return latest;
}
