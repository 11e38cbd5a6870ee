import { MillraceError } from '@millrace/core';
import type { WatermarkStrategy } from '@millrace/core/spi';

/** The first and last instants that `Date` knows, ms. */
export const timeMaxMs = 8.64e15;

/**
 * 1.5 × 2⁵². A double to which it is added has no bits left for a fraction; subtracted again, an
 * integer is what it was. That takes a quarter of the time of `Math.floor` in the loop.
 */
const rounder = 6_755_399_441_055_744;

/** Thrown for a time that is no whole number of milliseconds, or too far ahead of the clock. */
export function badTimestamp(time: unknown, latestMs: number): MillraceError {
  const shown =
    typeof time === 'number' ? String(time) : time === null ? 'null' : `a ${typeof time}`;
  const valid = typeof time === 'number' && Number.isInteger(time) && Math.abs(time) <= timeMaxMs;
  return valid && time > latestMs
    ? new MillraceError(
        'ERR_FAR_FUTURE_TIMESTAMP',
        `${new Date(time).toISOString()} is beyond ${new Date(latestMs).toISOString()}`,
      )
    : new MillraceError('ERR_INVALID_TIMESTAMP', `the event time is ${shown}`);
}

/**
 * Text that gives each record of a source's chunk its event time `t`, and ends the loop behind a
 * record at which the split's watermark crosses a step.
 */
export interface EventTimeText {
  readonly before: string;
  /** Ahead of the record's steps; reads `v0`. */
  readonly record: string;
  /** A condition of the loop. */
  readonly goesOn: string;
  readonly after: string;
}

export function eventTimeText(strategy: WatermarkStrategy<unknown>): EventTimeText {
  const follows = strategy.kind === 'bounded' || strategy.kind === 'monotonous';
  const time =
    strategy.timestamp === undefined
      ? 'timestamps === undefined ? 0 : timestamps[i]'
      : 'timestampOf(v0)';
  const mark = follows
    ? 'if (t > highest) highest = t;'
    : 'if (split.onRecord(v0, t)) highest = Infinity;';
  return {
    before: `let highest = ${follows ? 'split.highest' : '-Infinity'};
  const cutAt = ${follows ? 'split.cutAt' : '0'};`,
    record: `at = 0;
      const t = ${time};
      if (!(t <= latestMs && t >= ${-timeMaxMs})) throw badTimestamp(t, latestMs);
      if (t + ${rounder} - ${rounder} !== t && !Number.isInteger(t)) throw badTimestamp(t, latestMs);
      ${mark}`,
    goesOn: ' && highest < cutAt',
    after: follows ? 'split.highest = highest;' : '',
  };
}

/** The event time of a chunk's record, without generated code. */
export function eventTimeOf(
  strategy: WatermarkStrategy<unknown>,
  value: unknown,
  given: number | undefined,
  latestMs: number,
): number {
  const t = strategy.timestamp === undefined ? (given ?? 0) : strategy.timestamp(value);
  if (!(t <= latestMs && t >= -timeMaxMs) || !Number.isInteger(t)) throw badTimestamp(t, latestMs);
  return t;
}
