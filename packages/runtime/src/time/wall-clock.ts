import type { Clock } from '@millrace/core/spi';

/** Tells the wall clock's time, epoch ms, so that it never goes back. */
export function monotoneWallClock(clock: Pick<Clock, 'nowMs'>): () => number {
  let lastMs = -Infinity;
  return () => {
    lastMs = Math.max(lastMs, clock.nowMs());
    return lastMs;
  };
}
