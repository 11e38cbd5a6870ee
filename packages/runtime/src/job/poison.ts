import { MillraceError } from '@millrace/core';

/** Failures in a row by the same record that make it poison. */
const poisonAttempts = 3;

/** The record that failed last, and how often in a row. */
export interface PoisonWatch {
  readonly suspect: string | undefined;
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
  if (error.code !== 'ERR_FUNCTION_THREW') return [noSuspect, undefined];
  // Behind a keyed edge the position is not known; the same words of the same operator do then.
  const suspect = `${error.operator} ${error.position ?? error.detail}`;
  const times = suspect === watch.suspect ? watch.times + 1 : 1;
  if (times < poisonAttempts) return [{ suspect, times }, undefined];
  const { job, operator, position } = error;
  const where = position === undefined ? '' : ` at ${position}`;
  const detail = `the record${where} failed ${times} attempts: ${error.detail}`;
  const poison = new MillraceError('ERR_POISON_RECORD', detail, {
    cause: error,
    job,
    operator,
    position,
  });
  return [{ suspect, times }, poison];
}
