import { median, type Stopwatch } from '../bench/stopwatch.js';
import type { QueryName } from '../model.js';

/** What a run has done. */
export interface RunCounts {
  readonly query: QueryName;
  readonly events: number;
  readonly rows: number;
}

/** A run's counts, and its speed by the medians of its stopwatches; one line of JSON. */
export function runFigures(
  counts: RunCounts,
  watches: readonly Stopwatch[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  const wallSeconds = median(watches.map((watch) => watch.wallSeconds));
  const cpuSeconds = median(watches.map((watch) => watch.cpuSeconds));
  const { events } = counts;
  return JSON.stringify({
    ...counts,
    wallMs: round(wallSeconds * 1e3),
    cpuMs: round(cpuSeconds * 1e3),
    eventsPerSecond: Math.round(events / wallSeconds),
    eventsPerCpuSecond: Math.round(events / cpuSeconds),
    ...more,
  });
}

/** To microseconds. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1e3) / 1e3;
}
