import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MillraceError } from '../errors/millrace-error.js';
import { type Duration, durationMs, formatDuration, formatTimestamp } from './duration.js';

describe('durationMs', () => {
  const accepted: [Duration, number][] = [
    [0, 0],
    [-0, 0],
    [1_500, 1_500],
    ['500ms', 500],
    ['4s', 4_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    ['1.005s', 1_005],
    ['0s', 0],
  ];
  test.each(accepted)('reads %j as %d ms', (duration, ms) => {
    expect(durationMs(duration, 'size')).toBe(ms);
  });

  const refused: unknown[] = [
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '',
    '10',
    'm',
    '-1s',
    '1 s',
    '1h30m',
    '10min',
    '1e3ms',
    '0.5ms',
    '9007199254740992ms',
    '104249991375d',
    undefined,
    null,
    10n,
    {},
  ];
  test.each(refused)('refuses %o and names the option', (duration) => {
    const attempt = () => durationMs(duration as Duration, 'allowedLateness');
    expect(attempt).toThrow(MillraceError);
    expect(attempt).toThrow(/ERR_INVALID_DURATION.*allowedLateness/);
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0ms'],
    [999, '999ms'],
    [90_000, '90s'],
    [600_000, '10m'],
    [86_400_000, '1d'],
    [-4_000, '-4s'],
    [0.5, '0.5ms'],
    [Number.POSITIVE_INFINITY, 'Infinityms'],
  ])('shows %d as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('is read back by durationMs', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => durationMs(formatDuration(ms) as Duration, 'd') === ms),
    );
  });
});

describe('formatTimestamp', () => {
  test.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.MIN_SAFE_INTEGER, '-9007199254740991'],
    [Number.NaN, 'NaN'],
  ])('shows %d as %s', (ms, text) => {
    expect(formatTimestamp(ms)).toBe(text);
  });
});
