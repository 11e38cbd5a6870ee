import type { Source } from '@millrace/core/spi';
import type { CsvColumns, CsvRecord } from '../files/csv-columns.js';
import { CsvDecoder } from '../files/csv-decoder.js';
import { type CsvReadOptions, type CsvRecordOptions, csvFormat } from '../files/csv-source.js';
import { detached } from '../files/detached-text.js';
import { LineDecoder } from '../files/line-decoder.js';
import { ndjsonDecoder } from '../files/ndjson-source.js';
import type { RecordDecoder } from '../files/record-decoder.js';
import type { RecordSchema } from '../files/schema-check.js';
import { type TextOptions, textOptions } from '../files/text-source.js';
import { refuseOption } from '../option-checks.js';
import { fixedEnumerator } from '../reading/fixed-enumerator.js';
import { SplitQueueReader } from '../reading/split-queue-reader.js';
import { StdinAttempts } from './stdin-attempts.js';

/** What comes in on standard input. */
export interface StdinSourceOptions extends TextOptions {
  readonly format: 'ndjson' | 'csv' | 'lines';
}

interface AllStdinOptions<T> extends StdinSourceOptions, CsvReadOptions, CsvRecordOptions<T> {}

/**
 * A source that reads standard input to its end; it cannot replay, and only one source of a
 * process can use it. After a failure reading goes on behind what the job was given.
 *
 * `ndjson` and `csv` are read as by `ndjsonSource` and `csvSource`, `lines` gives each line as a
 * text. Empty lines are skipped. Lines that cannot be decoded are bad input, which the error
 * policy of the source decides on. Throws ERR_INVALID_OPTION for options that cannot be used.
 *
 * @example
 * job.source('lines', stdinSource({ format: 'lines' }))
 */
export function stdinSource(options: StdinSourceOptions & { format: 'lines' }): Source<string>;
export function stdinSource<T = unknown>(
  options: StdinSourceOptions & { format: 'ndjson'; schema?: RecordSchema<T> | undefined },
): Source<T>;
export function stdinSource<T>(
  options: StdinSourceOptions &
    CsvReadOptions & {
      format: 'csv';
      columns?: CsvColumns | undefined;
      schema: RecordSchema<T>;
    },
): Source<T>;
export function stdinSource<const C extends CsvColumns>(
  options: StdinSourceOptions & CsvReadOptions & { format: 'csv'; columns: C; schema?: undefined },
): Source<CsvRecord<C>>;
export function stdinSource(
  options: StdinSourceOptions &
    CsvReadOptions & { format: 'csv'; columns?: undefined; schema?: undefined },
): Source<Readonly<Record<string, string>>>;
export function stdinSource<T>(options: AllStdinOptions<T>): Source<T> {
  const format = { ...textOptions(options), createDecoder: decoderFactory(options) };
  const attempts = new StdinAttempts(format);
  return {
    type: 'stdin',
    replay: 'none',
    bounded: true,
    settings: {
      format: options.format,
      encoding: format.encoding,
      ...(options.columns === undefined ? {} : { columns: options.columns }),
    },
    createEnumerator: (_context, snapshot) =>
      fixedEnumerator(async () => [{ id: 'stdin' }], snapshot),
    createReader: () => new SplitQueueReader((split, wake) => attempts.open(split, wake)),
  };
}

function decoderFactory<T>(options: AllStdinOptions<T>): () => RecordDecoder<T> {
  switch (options.format) {
    case 'lines':
      return () => new LineDecoder((line) => detached(line) as T);
    case 'ndjson':
      return () => ndjsonDecoder(options.schema);
    case 'csv': {
      const csv = csvFormat(options);
      return () => new CsvDecoder(csv, undefined);
    }
    default:
      return refuseOption('format', `'${options.format}' is none of ndjson, csv, lines`);
  }
}
