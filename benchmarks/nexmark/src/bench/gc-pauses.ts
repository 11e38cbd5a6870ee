import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** A stretch of time in milliseconds of `performance.now()`. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Pauses for garbage collection, in milliseconds. */
export interface PauseSums {
  readonly totalMs: number;
  readonly maxMs: number;
}

/** Notes the pauses for garbage collection while it is open. */
export class GcPauses {
  readonly #pauses: { readonly start: number; readonly duration: number }[] = [];
  readonly #observer = new PerformanceObserver((list) => {
    for (const { startTime: start, duration } of list.getEntries()) {
      this.#pauses.push({ start, duration });
    }
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** The pauses that began in the intervals. */
  async during(intervals: readonly Interval[]): Promise<PauseSums> {
    // The observer hears of a pause some turns of the event loop later.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
    const inside = this.#pauses.filter(({ start }) =>
      intervals.some(({ from, to }) => start >= from && start < to),
    );
    const durations = inside.map(({ duration }) => duration);
    return {
      totalMs: durations.reduce((sum, duration) => sum + duration, 0),
      maxMs: durations.reduce((max, duration) => Math.max(max, duration), 0),
    };
  }

  close(): void {
    this.#observer.disconnect();
  }
}
