import type { Sink } from '@millrace/core/spi';
import { jsonLine } from './json-line.js';
import { type FileSinkOptions, textFileSink } from './text-file-sink.js';

/**
 * A sink that writes each record as a line of JSON; at least once when it appends.
 *
 * Dates become ISO texts, undefined properties are left out, −0 becomes 0. A value that JSON
 * would lose (bigint, Map, Set, typed arrays, NaN, infinities) fails the job as
 * ERR_UNSERIALISABLE_VALUE naming the field; failures of the file are ERR_SINK_FAILED.
 * The file is synchronised to disk when the input ends.
 *
 * @example
 * sinkTo('alerts', ndjsonSink({ path: 'out/alerts.ndjson' }))
 */
export function ndjsonSink<T = unknown>(options: FileSinkOptions): Sink<T> {
  return textFileSink('ndjson', options, { head: '', line: jsonLine }, {});
}
