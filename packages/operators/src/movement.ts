import { outputOf, type Stream, streamOf } from '@millrace/core/spi';

function moved(kind: 'rebalance' | 'rescale' | 'broadcast' | 'global') {
  return <T>(input: Stream<T>): Stream<T> =>
    streamOf({ ...outputOf(input), partitioning: kind, key: undefined, partition: undefined });
}

/** Spreads records evenly over the next operator's subtasks, in turn. */
export const rebalance = <T>(): ((input: Stream<T>) => Stream<T>) => moved('rebalance');

/**
 * Spreads records in turn over some of the next operator's subtasks: each subtask ahead of it has
 * its own ones. Fewer connections than `rebalance`, and as even as the input is.
 */
export const rescale = <T>(): ((input: Stream<T>) => Stream<T>) => moved('rescale');

/** Gives every record to each of the next operator's subtasks. */
export const broadcast = <T>(): ((input: Stream<T>) => Stream<T>) => moved('broadcast');

/** Gives all records to the next operator's first subtask. */
export const global = <T>(): ((input: Stream<T>) => Stream<T>) => moved('global');

/**
 * Gives each record to the subtask that a function names. What follows has no keyed state: where
 * records of a key must meet, use `keyBy`.
 *
 * @param partition from a record and the number of subtasks to a subtask, from 0 on
 * @throws MillraceError `ERR_FUNCTION_THREW` when it throws, or names a subtask that is not there
 * @example orders.pipe(partitionBy((o, n) => (o.isUrgent ? 0 : 1 + (o.id % (n - 1)))))
 */
export const partitionBy =
  <T>(partition: (value: T, parallelism: number) => number): ((input: Stream<T>) => Stream<T>) =>
  (input) =>
    streamOf({ ...outputOf(input), partitioning: 'custom', key: undefined, partition });
