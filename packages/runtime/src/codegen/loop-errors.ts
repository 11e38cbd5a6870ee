import { MillraceError } from '@millrace/core';
import { assertKey } from '@millrace/core/internal';

/** A predicate gave a promise: true for every record. */
export const promised = (operator: string): MillraceError =>
  new MillraceError('ERR_FUNCTION_RETURNED_PROMISE', 'a predicate must answer at once', {
    operator,
  });

/** An extractor of a numeric aggregator gave something else. */
export const noNumber = (operator: string, value: unknown): MillraceError =>
  new MillraceError(
    'ERR_FUNCTION_THREW',
    `a numeric aggregator's extractor gave ${value === null ? 'null' : typeof value}, not a number`,
    { operator },
  );

/**
 * Refuses what `keyBy` gave where it is no key: here it is its record's failure, further on the
 * attempt's. Numbers and texts need not be shown to it.
 */
export function checkKey(key: unknown, operator: string): void {
  if (key === undefined) {
    throw new MillraceError('ERR_INVALID_KEY', 'keyBy gave undefined', { operator });
  }
  assertKey(key);
}
