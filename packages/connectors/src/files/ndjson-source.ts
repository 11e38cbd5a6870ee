import type { Source } from '@millrace/core/spi';
import { LineDecoder } from './line-decoder.js';
import { applySchema, type RecordSchema } from './schema-check.js';
import { type TextFileOptions, textFileSource, textOptions } from './text-source.js';

/** Which files to read, and what their records are. */
export interface NdjsonSourceOptions<T> extends TextFileOptions {
  /** Checks and types each record; a violation is bad input. */
  readonly schema?: RecordSchema<T> | undefined;
}

/** A decoder of lines of JSON. */
export function ndjsonDecoder<T>(schema: RecordSchema<T> | undefined): LineDecoder<T> {
  if (schema === undefined) return new LineDecoder((line) => JSON.parse(line) as T);
  return new LineDecoder((line) => applySchema(schema, JSON.parse(line)));
}

/**
 * A source of files with one JSON value a line, plain or packed (`.gz`); replays exactly.
 *
 * Each file is a split. Empty lines are skipped; CRLF, a byte order mark and a last line without
 * a newline are fine. A line that is no JSON, too long or against the schema is bad input, which
 * the error policy of the source decides on. A missing file fails as ERR_SOURCE_FAILED; one that
 * was truncated, replaced or rewritten before a restart as ERR_SOURCE_CHANGED. Without a
 * schema the record type is what you say it is, and is not checked.
 *
 * @example
 * job.source('payments', ndjsonSource({ path: 'payments-*.ndjson.gz', schema: PaymentSchema }))
 */
export function ndjsonSource<T = unknown>(options: NdjsonSourceOptions<T>): Source<T> {
  const { schema } = options;
  const format = { ...textOptions(options), createDecoder: () => ndjsonDecoder(schema) };
  return textFileSource('ndjson', options, format, { checked: schema !== undefined });
}
