import { MillraceError } from '@millrace/core';

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

/** `keyBy` gave no key. */
export const noKey = (operator: string): MillraceError =>
  new MillraceError('ERR_INVALID_KEY', 'keyBy gave undefined', { operator });
