import {
  type Key,
  type KeyedStream,
  keyedStreamOf,
  outputOf,
  type Stream,
} from '@millrace/core/spi';

/**
 * Gives each record a key; what follows keeps state by it. It is data on the edge, not an
 * operator: records of a key go to one subtask.
 *
 * @param key strings, numbers, bigints, booleans, null, or tuples of these
 * @throws MillraceError `ERR_INVALID_KEY` at the record whose key is anything else
 * @example payments.pipe(keyBy((p) => p.card))
 * @example payments.pipe(keyBy((p) => [p.country, p.merchant]))
 */
export function keyBy<T, const K extends Key>(
  key: (value: T) => K,
): (input: Stream<T>) => KeyedStream<T, K> {
  return (input) =>
    keyedStreamOf({ ...outputOf(input), partitioning: 'key', key, partition: undefined });
}
