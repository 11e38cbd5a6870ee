import { MillraceError } from '@millrace/core';

const asynchronous: readonly string[] = [
  '[object AsyncFunction]',
  '[object AsyncGeneratorFunction]',
];

/**
 * Refuses async functions while the graph is built. At the first record it would be too late: what
 * they had begun by then goes on, and a rejection that nobody waits for ends the process.
 *
 * @throws MillraceError `ERR_FUNCTION_RETURNED_PROMISE`
 */
export function refuseAsync(operator: string, functions: readonly unknown[], detail: string): void {
  for (const each of functions) {
    // A bound function has the prototype of what it calls.
    if (!asynchronous.includes(Object.prototype.toString.call(each))) continue;
    throw new MillraceError('ERR_FUNCTION_RETURNED_PROMISE', detail, { operator });
  }
}
