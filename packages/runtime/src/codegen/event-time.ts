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
  const valid = typeof time === 'number' && Number.isInteger(time) && Math.abs(time) <= timeMaxMs;
  return valid && time > latestMs
    ? new MillraceError(
        'ERR_FAR_FUTURE_TIMESTAMP',
        `${new Date(time).toISOString()} is beyond ${new Date(latestMs).toISOString()}`,
      )
    : new MillraceError('ERR_INVALID_TIMESTAMP', `the event time is ${shownTime(time)}`);
}

function shownTime(time: unknown): string {
  if (time instanceof Date) return 'a Date; its getTime() gives milliseconds';
  if (typeof time === 'number' || time === null || time === undefined) return String(time);
  return typeof time === 'object' ? 'an object' : `a ${typeof time}`;
}

/**
 * Text that gives each record of a source's chunk its event time `t`, and ends the loop behind a
 * record at which the split's watermark crosses a step.
 */
export interface EventTimeText {
  readonly before: string;
  /** Ahead of the record's steps; reads `v0`, and sets `to` where the loop is to end. */
  readonly record: string;
  readonly after: string;
}

export function eventTimeText(strategy: WatermarkStrategy<unknown>): EventTimeText {
  const time =
    strategy.timestamp === undefined
      ? 'timestamps === undefined ? 0 : timestamps[i]'
      : 'timestampOf(v0)';
  const bad = 'throw badTimestamp(t, latestMs);';
  const whole = `at = 0;
      const t = ${time};
      if (t + ${rounder} - ${rounder} !== t && !Number.isInteger(t)) ${bad}`;
  const inRange = `!(t <= latestMs && t >= ${-timeMaxMs})`;
  if (strategy.kind === 'punctuated' || strategy.kind === 'custom') {
    const cut = 'if (split.onRecord(v0, t)) to = i + 1;';
    return {
      before: '',
      record: `${whole}\n      if (${inRange}) ${bad}\n      ${cut}`,
      after: '',
    };
  }
  // Most records are no newer than the newest: they are compared with it and with the first instant.
  return {
    before: 'let highest = split.highest; const cutAt = split.cutAt;',
    record: `${whole}
      if (t > highest) {
        if (${inRange}) ${bad}
        highest = t;
        if (t >= cutAt) to = i + 1;
      } else if (t < ${-timeMaxMs}) ${bad}`,
    after: 'split.highest = highest;',
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
