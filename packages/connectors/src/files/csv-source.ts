import type { Source } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { refuseOption } from '../option-checks.js';
import { type CsvColumns, type CsvRecord, csvColumnTypes } from './csv-columns.js';
import { CsvDecoder, type CsvFormat } from './csv-decoder.js';
import type { RecordSchema } from './schema-check.js';
import { type TextFileOptions, textFileSource, textOptions } from './text-source.js';

/** How CSV is written, whatever it comes from. */
export interface CsvReadOptions {
  /** One ASCII character between the fields. Default `,`. */
  readonly delimiter?: string | undefined;
  /**
   * Whether the first row names the columns. Default true. Without it `columns` must name all, in
   * the order of the file.
   */
  readonly header?: boolean | undefined;
}

/** Which CSV files to read, and how. */
export interface CsvSourceOptions extends TextFileOptions, CsvReadOptions {}

/** What becomes of the fields: typed columns, a schema, or neither. */
export interface CsvRecordOptions<T> {
  readonly columns?: CsvColumns | undefined;
  readonly schema?: RecordSchema<T> | undefined;
}

/**
 * A source of CSV files (RFC 4180: quotes, doubled quotes, newlines in quotes), plain or packed
 * (`.gz`); replays exactly.
 *
 * Each file is a split. With `columns` the records have these columns, converted; with `schema`
 * what it makes of them; otherwise all columns of the header as texts. Empty lines are skipped;
 * CRLF, a byte order mark and a last line without a newline are fine. A row that has too few or
 * too many fields, cannot be converted, has no closing quote, is too long or against the schema
 * is bad input, which the error policy of the source decides on.
 *
 * Throws ERR_INVALID_OPTION for options that cannot be used; a column that a file's header lacks
 * fails the job with the same code, a missing file with ERR_SOURCE_FAILED, and one that was
 * truncated, replaced or rewritten before a restart with ERR_SOURCE_CHANGED.
 *
 * @example
 * csvSource({ path: 'payments.csv', columns: { card: 'string', amount: 'number', at: 'integer' } })
 * // Source<{ readonly card: string; readonly amount: number; readonly at: number }>
 */
export function csvSource<T>(
  options: CsvSourceOptions & { columns?: CsvColumns | undefined; schema: RecordSchema<T> },
): Source<T>;
export function csvSource<const C extends CsvColumns>(
  options: CsvSourceOptions & { columns: C; schema?: undefined },
): Source<CsvRecord<C>>;
export function csvSource(
  options: CsvSourceOptions & { columns?: undefined; schema?: undefined },
): Source<Readonly<Record<string, string>>>;
export function csvSource<T>(options: CsvSourceOptions & CsvRecordOptions<T>): Source<T> {
  const csv = csvFormat(options);
  const format = {
    ...textOptions(options),
    createDecoder: (carried: unknown) => new CsvDecoder(csv, carried),
  };
  return textFileSource('csv', options, format, {
    delimiter: csv.delimiter,
    header: csv.hasHeader,
    ...(csv.columns === undefined ? {} : { columns: csv.columns }),
    checked: csv.schema !== undefined,
  });
}

/** The format that options ask for; throws ERR_INVALID_OPTION when they make no sense. */
export function csvFormat<T>(options: CsvReadOptions & CsvRecordOptions<T>): CsvFormat<T> {
  const { delimiter = ',', header = true, columns, schema } = options;
  if (delimiter.length !== 1 || delimiter > '\x7f' || /["\r\n]/.test(delimiter)) {
    refuseOption('delimiter', 'the delimiter must be one ASCII character, no quote and no newline');
  }
  if (!header && columns === undefined) {
    refuseOption('columns', 'without a header the columns must be named');
  }
  const { csvColumnsMax } = connectorLimits;
  if (Object.keys(columns ?? {}).length > csvColumnsMax) {
    refuseOption('columns', `at most ${csvColumnsMax} columns are possible`);
  }
  for (const [name, type] of Object.entries(columns ?? {})) {
    if (!csvColumnTypes.includes(type)) {
      refuseOption(`columns.${name}`, `'${type}' is none of ${csvColumnTypes.join(', ')}`);
    }
  }
  return { delimiter, columns, hasHeader: header, schema };
}
