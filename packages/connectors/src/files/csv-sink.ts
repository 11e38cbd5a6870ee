import { MillraceError } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
import { refuseOption } from '../option-checks.js';
import { type FileSinkOptions, textFileSink } from './text-file-sink.js';
import { wellFormed } from './well-formed-text.js';

/** Where a CSV sink writes, and which properties. */
export interface CsvSinkOptions<N extends string> extends FileSinkOptions {
  /** Properties of the records in the order of the columns; also the header. */
  readonly columns: readonly N[];
  /** One ASCII character between the fields. Default `,`. */
  readonly delimiter?: string | undefined;
  /** Whether an empty file begins with the names of the columns. Default true. */
  readonly header?: boolean | undefined;
}

/**
 * A sink that writes each record as a row of CSV (RFC 4180, newline `\n`). When it appends it is
 * exactly once with checkpoints, which make rows visible, and at least once without.
 *
 * Texts, numbers, booleans and bigints are written as they print, Dates as ISO texts, undefined
 * and null as empty fields. Objects, and texts with half a surrogate pair, fail the job as
 * ERR_UNSERIALISABLE_VALUE naming the column; failures of the file are ERR_SINK_FAILED or, with checkpoints, ERR_STORAGE_…, and
 * ERR_SINK_CHANGED when somebody else wrote to it.
 *
 * @example
 * sinkTo('totals', csvSink({ path: 'out/totals.csv', columns: ['card', 'total'] }))
 */
export function csvSink<const N extends string>(
  options: CsvSinkOptions<N>,
): Sink<{ readonly [C in N]?: unknown }> {
  const { columns, delimiter = ',', header = true } = options;
  if (columns.length === 0) refuseOption('columns', 'no column is named');
  if (delimiter.length !== 1 || delimiter > '\x7f' || /["\r\n]/.test(delimiter)) {
    refuseOption('delimiter', 'the delimiter must be one ASCII character, no quote and no newline');
  }
  const needsQuotes = (text: string): boolean => text.includes(delimiter) || /["\r\n]/.test(text);
  const rowOf = (fields: readonly string[]): string => {
    const row = fields.map((text) => (needsQuotes(text) ? quoted(text) : text)).join(delimiter);
    // A row of one empty field would be an empty line, which readers skip.
    return `${row === '' ? '""' : row}\n`;
  };
  const formatter = {
    head: header ? rowOf(columns) : '',
    line: (record: unknown) =>
      rowOf(columns.map((name) => fieldOf((record as Record<string, unknown>)[name], name))),
  };
  return textFileSink('csv', options, formatter, { columns, delimiter, header });
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function fieldOf(value: unknown, column: string): string {
  switch (typeof value) {
    case 'string':
      return wellFormed(value, column);
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      return '';
    default:
      if (value === null) return '';
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
      throw new MillraceError(
        'ERR_UNSERIALISABLE_VALUE',
        `a ${typeof value} has no form in CSV; convert it before the sink`,
        { field: column },
      );
  }
}
