import { MillraceError } from '@millrace/core';

/** Digits whose value a double holds exactly, whatever they are. */
const exactDigitsMax = 15;
const powersOfTen = Array.from({ length: exactDigitsMax + 1 }, (_, digits) => 10 ** digits);
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const whole = /^[+-]?\d+$/;
const truths = new Map([
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['1', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
  ['0', false],
]);

const digitZero = 48;
const minus = 45;
const point = 46;

/**
 * The number that stands in `text` from `start` to `end`, correctly rounded.
 *
 * Up to 15 digits are read in place: whole number and power of ten are then exact, and so their
 * quotient is the nearest double. Everything else goes the long way.
 */
export function csvNumber(text: string, start: number, end: number): number {
  let at = start;
  const isNegative = text.charCodeAt(at) === minus;
  if (isNegative) at += 1;
  const first = at;
  let value = 0;
  let pointAt = -1;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code - digitZero;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (code === point && pointAt < 0) pointAt = at;
    else return csvNumberSlow(text.slice(start, end));
  }
  const digits = at - first - (pointAt < 0 ? 0 : 1);
  if (digits < 1 || digits > exactDigitsMax) return csvNumberSlow(text.slice(start, end));
  if (pointAt >= 0) value /= powersOfTen[end - pointAt - 1]!;
  return isNegative ? -value : value;
}

function csvNumberSlow(field: string): number {
  const value = decimal.test(field) ? Number(field) : NaN;
  if (!Number.isFinite(value)) refuse(field, 'a number');
  return value;
}

/** The whole number that stands in `text` from `start` to `end`. */
export function csvInteger(text: string, start: number, end: number): number {
  const field = end - start <= exactDigitsMax ? undefined : text.slice(start, end);
  if (field !== undefined) return csvIntegerSlow(field);
  const isNegative = text.charCodeAt(start) === minus;
  const first = isNegative ? start + 1 : start;
  let value = 0;
  for (let at = first; at < end; at += 1) {
    const digit = text.charCodeAt(at) - digitZero;
    if (!(digit >= 0 && digit <= 9)) return csvIntegerSlow(text.slice(start, end));
    value = value * 10 + digit;
  }
  if (first === end) refuse(text.slice(start, end), 'a whole number');
  return isNegative && value !== 0 ? -value : value;
}

function csvIntegerSlow(field: string): number {
  const value = whole.test(field) ? Number(field) : NaN;
  if (!Number.isSafeInteger(value)) refuse(field, 'a whole number that a double holds exactly');
  return value === 0 ? 0 : value;
}

export function csvBoolean(field: string): boolean {
  return truths.get(field) ?? refuse(field, 'true or false');
}

/** Characters of a field shown in an error. */
const shownCharsMax = 40;

function refuse(field: string, wanted: string): never {
  const shown = field.length > shownCharsMax ? `${field.slice(0, shownCharsMax)}…` : field;
  throw new MillraceError('ERR_INVALID_RECORD', `${JSON.stringify(shown)} is not ${wanted}`);
}
