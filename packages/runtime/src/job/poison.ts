import { MillraceError } from '@millrace/core';
import { isExact } from '../engine/record-places.js';

/** Failures in a row by the same record that make it poison. */
const poisonAttempts = 3;

/** The failure of the last attempt, and how often in a row it was the same record's. */
export interface PoisonWatch {
  readonly suspect: MillraceError | undefined;
  readonly times: number;
}

export const noSuspect: PoisonWatch = { suspect: undefined, times: 0 };

/**
 * Takes note of why an attempt failed. The same record again and again is what no restart mends:
 * then the error says so, and where the record stands.
 */
export function watchPoison(
  watch: PoisonWatch,
  error: MillraceError,
): readonly [PoisonWatch, MillraceError | undefined] {
  if (!isOfRecord(error)) return [noSuspect, undefined];
  const { suspect } = watch;
  const times = suspect !== undefined && isSameRecord(suspect, error) ? watch.times + 1 : 1;
  const next = { suspect: error, times };
  if (times < poisonAttempts) return [next, undefined];
  const { job, operator, position } = error;
  const detail = `the record${placeOf(position)} failed ${times} attempts: ${error.detail}`;
  const poison = new MillraceError('ERR_POISON_RECORD', detail, {
    cause: error,
    job,
    operator,
    position,
  });
  return [next, poison];
}

/** A sink that fails names the record only where that is what it could not write. */
function isOfRecord({ code, position }: MillraceError): boolean {
  return code === 'ERR_FUNCTION_THREW' || (code === 'ERR_SINK_FAILED' && position !== undefined);
}

/**
 * Which records a batch begins and ends with differs from attempt to attempt, and with it a range
 * of positions: the same words of the same operator do where a position is not exact.
 */
function isSameRecord(a: MillraceError, b: MillraceError): boolean {
  if (a.operator !== b.operator) return false;
  const areExact = [a, b].every(({ position }) => position !== undefined && isExact(position));
  return areExact ? a.position === b.position : a.detail === b.detail;
}

function placeOf(position: string | undefined): string {
  if (position === undefined) return '';
  return isExact(position) ? ` at ${position}` : ` ${position}`;
}
