import type { Interval } from './gc-pauses.js';

/** Measures time with breaks. */
export class Stopwatch {
  readonly intervals: Interval[] = [];
  /** User and system time of all threads of the process. */
  cpuSeconds = 0;
  wallSeconds = 0;

  /** Measures what the action takes. */
  async time<T>(action: () => Promise<T> | T): Promise<T> {
    const cpuBefore = process.cpuUsage();
    const from = performance.now();
    const result = await action();
    const to = performance.now();
    const cpu = process.cpuUsage(cpuBefore);
    this.intervals.push({ from, to });
    this.wallSeconds += (to - from) / 1e3;
    this.cpuSeconds += (cpu.user + cpu.system) / 1e6;
    return result;
  }
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}
