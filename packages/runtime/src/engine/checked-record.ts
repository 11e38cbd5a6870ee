import { MillraceError } from '@millrace/core';
import { checkRecord, toMillraceError } from '@millrace/core/internal';

/**
 * Freezes a record on its way to another operator, and proves that it can travel.
 *
 * @param operator whose output it is
 * @throws MillraceError `ERR_UNSERIALISABLE_VALUE`, `ERR_FUNCTION_RETURNED_PROMISE`
 */
export function checkOnEdge(value: unknown, operator: string): void {
  if (value instanceof Promise) {
    // Nobody is to wait for it: one that is rejected would end the process ahead of the job.
    value.catch(() => undefined);
    throw new MillraceError('ERR_FUNCTION_RETURNED_PROMISE', 'a record is a promise', { operator });
  }
  try {
    checkRecord(value);
  } catch (error) {
    throw toMillraceError(error, 'ERR_UNSERIALISABLE_VALUE', { operator });
  }
}
