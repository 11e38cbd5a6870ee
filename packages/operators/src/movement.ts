import { outputOf, type Stream, streamOf } from '@millrace/core/spi';

function moved(kind: 'rebalance' | 'broadcast' | 'global') {
  return <T>(input: Stream<T>): Stream<T> =>
    streamOf({ ...outputOf(input), partitioning: kind, key: undefined });
}

/** Spreads records evenly over the next operator's subtasks, in turn. */
export const rebalance = <T>(): ((input: Stream<T>) => Stream<T>) => moved('rebalance');

/** Gives every record to each of the next operator's subtasks. */
export const broadcast = <T>(): ((input: Stream<T>) => Stream<T>) => moved('broadcast');

/** Gives all records to the next operator's first subtask. */
export const global = <T>(): ((input: Stream<T>) => Stream<T>) => moved('global');
