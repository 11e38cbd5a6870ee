import { MillraceError } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { assertWhole } from '../option-checks.js';

/** What a `collectSink` may hold. */
export interface CollectSinkOptions {
  /** One more fails the job as ERR_SINK_FAILED. Default `collectedRecordsMax`, 1,000,000. */
  readonly recordsMax?: number | undefined;
}

/** A sink with what arrived in it. */
export interface CollectSink<T> extends Sink<T> {
  /** In the order of arrival, from all subtasks. The same array all the time. */
  readonly records: readonly T[];
  /** Forgets what has arrived, so that the sink can be used for another run. */
  clear(): void;
}

/**
 * A sink that keeps its records, for tests and examples; at least once.
 *
 * Create it outside of the build function, which runs twice.
 *
 * @example
 * const out = collectSink<Alert>();
 * await run(defineJob('alerts', {}, (job) => { job.source('in', alerts).pipe(sinkTo('out', out)); }));
 * out.records;
 */
export function collectSink<T>(options: CollectSinkOptions = {}): CollectSink<T> {
  const recordsMax = options.recordsMax ?? connectorLimits.collectedRecordsMax;
  assertWhole('recordsMax', recordsMax, 0);
  const records: T[] = [];
  return {
    type: 'collect',
    guarantee: 'at-least-once',
    records,
    clear() {
      records.length = 0;
    },
    createWriter: () => ({
      write({ values, count }) {
        if (records.length + count > recordsMax) {
          const detail = `more than ${recordsMax} records arrived; raise recordsMax to keep them`;
          throw new MillraceError('ERR_SINK_FAILED', detail, { field: 'recordsMax' });
        }
        for (let i = 0; i < count; i += 1) records.push(values[i] as T);
        return undefined;
      },
    }),
  };
}
