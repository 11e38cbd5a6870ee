import { MillraceError } from '../errors/millrace-error.js';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type DurationUnit = keyof typeof unitMs;

/**
 * A length of time: a whole number of milliseconds, or a number with a unit. A misspelt unit is
 * a compile error.
 *
 * @example
 * const lateness: Duration = '1m';
 * const gap: Duration = 1_500; // milliseconds
 */
export type Duration = number | `${number}${DurationUnit}`;

const durationPattern = /^(\d{1,16})(?:\.(\d{1,9}))?(ms|s|m|h|d)$/;

/**
 * The duration in milliseconds: a safe integer ≥ 0. Fractions are exact, so `'0.5s'` is 500 and
 * `'0.5ms'` is refused.
 *
 * @param optionName how the error names the option, for example `'allowedLateness'`
 * @throws MillraceError `ERR_INVALID_DURATION` with the option as `field`
 *
 * @example
 * durationMs('10m', 'size') // 600_000
 */
export function durationMs(duration: Duration, optionName: string): number {
  // What comes from JavaScript or from JSON parameters may be anything.
  const value: unknown = duration;
  const ms =
    typeof value === 'number' ? value : typeof value === 'string' ? parseDuration(value) : NaN;
  if (!Number.isSafeInteger(ms) || ms < 0) {
    const shown = typeof value === 'string' ? `'${value}'` : String(value);
    throw new MillraceError('ERR_INVALID_DURATION', `${optionName} is ${shown}`, {
      field: optionName,
    });
  }
  return ms === 0 ? 0 : ms; // −0 becomes 0
}

/** Milliseconds, or `NaN` if the text is no duration or no whole number of milliseconds. */
function parseDuration(text: string): number {
  const match = durationPattern.exec(text);
  if (match === null) return Number.NaN;
  const [, whole = '', fraction = '', unit] = match;
  // Digits as one integer: 1.005 * 1000 is 1004.9999999999999 in doubles.
  const scaled = BigInt(whole + fraction) * BigInt(unitMs[unit as DurationUnit]);
  const scale = 10n ** BigInt(fraction.length);
  return scaled % scale === 0n ? Number(scaled / scale) : Number.NaN;
}

/**
 * A duration as text in the largest unit that divides it: 600 000 ms is `'10m'`, 90 000 ms is
 * `'90s'`. For whole milliseconds {@link durationMs} reads it back.
 */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return `${ms}ms`;
  const units = Object.entries(unitMs).reverse();
  const [unit, size] = units.find(([, size]) => ms !== 0 && ms % size === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** The furthest instants that a `Date` can hold, in epoch milliseconds either side of 1970. */
const dateRangeMs = 8_640_000_000_000_000;

/**
 * Epoch milliseconds as ISO 8601 in UTC. Watermarks before the first and after the last record
 * lie beyond the range of dates and are shown as numbers.
 *
 * @example
 * formatTimestamp(0) // '1970-01-01T00:00:00.000Z'
 */
export function formatTimestamp(ms: number): string {
  return Math.abs(ms) <= dateRangeMs ? new Date(ms).toISOString() : `${ms}`;
}
