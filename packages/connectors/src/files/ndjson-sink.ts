import type { Sink } from '@millrace/core/spi';
import { jsonLine } from './json-line.js';
import { type FileSinkOptions, textFileSink } from './text-file-sink.js';

/**
 * A sink that writes each record as a line of JSON. When it appends it is exactly once with
 * checkpoints, which make rows visible, and at least once without.
 *
 * Dates become ISO texts, undefined properties are left out, −0 becomes 0. A value that JSON
 * would lose (bigint, Map, Set, typed arrays, NaN, infinities) fails the job as
 * ERR_UNSERIALISABLE_VALUE naming the field; failures of the file are ERR_SINK_FAILED or, with
 * checkpoints, ERR_STORAGE_…, and ERR_SINK_CHANGED when somebody else wrote to it.
 * The file is synchronised to disk when the input ends.
 *
 * @example
 * sinkTo('alerts', ndjsonSink({ path: 'out/alerts.ndjson' }))
 */
export function ndjsonSink<T = unknown>(options: FileSinkOptions): Sink<T> {
  return textFileSink('ndjson', options, { head: '', line: jsonLine }, {});
}
