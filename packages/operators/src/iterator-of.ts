import { MillraceError } from '@millrace/core';

/**
 * The iterator of what an author's function gave.
 *
 * @throws MillraceError `ERR_FUNCTION_RETURNED_PROMISE` for what would give its results later
 * @throws TypeError if it cannot be iterated
 */
export function iteratorOf(results: Iterable<unknown>): Iterator<unknown> {
  // Types say so; a cast, or a function in JavaScript, may give anything.
  const given = results as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  if (typeof given?.[Symbol.iterator] === 'function') return results[Symbol.iterator]();
  // Nobody is to wait for it: were it rejected, that would end the process ahead of the job.
  if (given instanceof Promise) given.catch(() => undefined);
  if (given instanceof Promise || typeof given?.[Symbol.asyncIterator] === 'function') {
    const detail = 'an array or a generator that is not async is wanted';
    throw new MillraceError('ERR_FUNCTION_RETURNED_PROMISE', detail);
  }
  const found = typeof given === 'object' && given !== null ? 'an object' : String(given);
  throw new TypeError(`an array or another iterable is wanted, and the function gave ${found}`);
}
