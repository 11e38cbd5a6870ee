import type { RecordBatch, Sink } from '@millrace/core/spi';

/**
 * A sink that calls a function with each record; at least once.
 *
 * The next record waits for the promise of the last. What the function throws, or its promise
 * rejects with, fails the job as ERR_SINK_FAILED.
 *
 * @example
 * sinkTo('alerts', callbackSink((alert: Alert) => notifyOperator(alert)))
 */
export function callbackSink<T>(take: (record: T) => void | PromiseLike<void>): Sink<T> {
  return {
    type: 'callback',
    guarantee: 'at-least-once',
    createWriter: () => ({ write: (batch) => takeFrom(batch, 0, take) }),
  };
}

/**
 * A sink that calls a function with arrays of records, as they travel; at least once.
 *
 * The array is the function's own. The next one waits for its promise.
 *
 * @example
 * sinkTo('rows', batchCallbackSink((rows: readonly Row[]) => database.insert(rows)))
 */
export function batchCallbackSink<T>(
  take: (records: readonly T[]) => void | PromiseLike<void>,
): Sink<T> {
  return {
    type: 'batchCallback',
    guarantee: 'at-least-once',
    createWriter: () => ({
      write({ values, count }) {
        const result = take(values.slice(0, count) as T[]);
        return isAwaited(result) ? Promise.resolve(result) : undefined;
      },
    }),
  };
}

/** Goes on by promise only from the first record whose function returned one. */
function takeFrom<T>(
  batch: RecordBatch,
  from: number,
  take: (record: T) => void | PromiseLike<void>,
): undefined | Promise<void> {
  for (let i = from; i < batch.count; i += 1) {
    const result = take(batch.values[i] as T);
    if (isAwaited(result)) return takeRest(batch, i + 1, take, result);
  }
  return undefined;
}

async function takeRest<T>(
  batch: RecordBatch,
  from: number,
  take: (record: T) => void | PromiseLike<void>,
  last: PromiseLike<void>,
): Promise<void> {
  await last;
  for (let i = from; i < batch.count; i += 1) await take(batch.values[i] as T);
}

/** Also what is like a promise: those of other libraries, and query builders. */
const isAwaited = (result: unknown): result is PromiseLike<void> =>
  typeof (result as Partial<PromiseLike<void>> | null | undefined)?.then === 'function';
