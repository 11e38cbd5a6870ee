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

/** Runs a loop over batches, with a watermark after each. */
export function drive(loop: Loop, batches: readonly EventBatch[]): void {
  let latest = Number.NEGATIVE_INFINITY;
  for (const batch of batches) {
    loop.batch(batch);
    latest = Math.max(latest, latestOf(batch.timestamps, batch.count));
    loop.watermark(latest - outOfOrdernessMs);
  }
  loop.end();
}

function latestOf(timestamps: Float64Array, count: number): number {
  let latest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const time = timestamps[i]!;
    if (time > latest) latest = time;
  }
  return latest;
}
