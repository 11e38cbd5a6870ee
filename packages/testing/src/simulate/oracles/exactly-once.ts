import { differenceOf } from './difference.js';
import { type Oracle, OracleError } from './oracle.js';

/**
 * Every sink's committed output, whatever the faults were, is that of the same job and input
 * without faults in one slot: the same rows, each as often, in any order.
 *
 * @example await simulate(job, { input, expect: [exactlyOnce()] });
 */
export function exactlyOnce(): Oracle {
  return {
    name: 'exactlyOnce',
    runs: 'faults',
    kind: 'compared',
    check: async ({ rows, reference }) => throwDifference(rows, await reference()),
  };
}

/**
 * The output does not depend on how splits, slots and batches interleave: runs without faults
 * give the same rows, each as often, in any order.
 *
 * @example await simulate(job, { input, splits: { clicks: 3 }, expect: [orderIndependent()] });
 */
export function orderIndependent(): Oracle {
  return {
    name: 'orderIndependent',
    runs: 'orders',
    kind: 'compared',
    check: async ({ rows, reference }) => throwDifference(rows, await reference()),
  };
}

type Rows = ReadonlyMap<string, readonly string[]>;

function throwDifference(found: Rows, expected: Rows): void {
  const difference = differenceOf(found, expected);
  if (difference !== undefined) throw new OracleError(difference);
}
