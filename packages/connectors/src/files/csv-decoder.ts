import { MillraceError } from '@millrace/core';
import { toMillraceError, withContext } from '@millrace/core/internal';
import type { CsvColumns } from './csv-columns.js';
import { type CsvRecordPlan, planRecords, recordOf } from './csv-record-plan.js';
import { CsvRowScanner, type RowScan } from './csv-row-scanner.js';
import { type DecodedRecords, positionOfLine, type RecordDecoder } from './record-decoder.js';
import { applySchema, type RecordSchema } from './schema-check.js';
import type { TextWindow } from './text-window.js';
import { assertValidText, rawText, refuseLong } from './unreadable-text.js';

/** How CSV text becomes records. */
export interface CsvFormat<T> {
  /** One ASCII character. */
  readonly delimiter: string;
  /** The columns to read; undefined: all of the header, as texts. */
  readonly columns: CsvColumns | undefined;
  /** Whether the first row names the columns; otherwise `columns` does, in their order. */
  readonly hasHeader: boolean;
  readonly schema: RecordSchema<T> | undefined;
}

/** Reads the rows of one file; carries the header, which the middle of a file does not tell. */
export class CsvDecoder<T> implements RecordDecoder<T> {
  private readonly format: CsvFormat<T>;
  private readonly row: CsvRowScanner;
  private header: readonly string[] | undefined;
  private plan: CsvRecordPlan | undefined;

  constructor(format: CsvFormat<T>, carried: unknown) {
    this.format = format;
    this.row = new CsvRowScanner(format.delimiter.charCodeAt(0));
    if (Array.isArray(carried)) this.useHeader(carried);
    else if (!format.hasHeader) this.useHeader(Object.keys(format.columns!));
  }

  carried(): unknown {
    return this.format.hasHeader ? this.header : undefined;
  }

  decode(window: TextWindow, out: DecodedRecords<T>): void {
    while (window.at < window.text.length && !out.isFull) {
      if (this.skipEmptyLine(window)) continue;
      const { at: start, line } = window;
      const verdict = this.scanRow(window);
      if (verdict === 'open' && window.at === start) return;
      try {
        if (verdict === 'long') refuseLong(window);
        assertValidText(window, line);
        if (verdict !== 'row') refuseRow(verdict);
        this.takeRow(window.text, line, out);
      } catch (error) {
        this.addBad(error, window, start, line, out);
      }
    }
  }

  /**
   * Scans a row and moves the window behind it; leaves it where it is when the rest of the row
   * has yet to come. A quote that is not closed in time is likely a slip, so the next row is
   * looked for behind its line. What is decided depends on the text alone, not on how much of it
   * the window holds: a restart must find the same rows.
   */
  private scanRow(window: TextWindow): RowScan | 'long' {
    const { row } = this;
    const { text, at: start } = window;
    const scan = row.scan(text, start);
    const isLong = row.scannedTo - start > window.lineCharsMax;
    if (scan === 'open' && !isLong && !window.hasEnded) return scan;
    if (scan === 'open' || isLong) row.skipFirstLine(text, start);
    window.at = row.next;
    window.line += row.lineCount;
    return isLong ? 'long' : scan;
  }

  private takeRow(text: string, line: number, out: DecodedRecords<T>): void {
    const { row, plan } = this;
    if (plan === undefined) {
      this.useHeader(row.fields(text));
      return;
    }
    if (row.fieldCount !== plan.fieldCount) {
      const detail = `it has ${row.fieldCount} fields, the header has ${plan.fieldCount}`;
      throw new MillraceError('ERR_INVALID_RECORD', detail);
    }
    const record = recordOf(plan, text, row);
    const { schema } = this.format;
    out.values.push(schema === undefined ? (record as T) : applySchema(schema, record));
    out.lines.push(line);
  }

  private addBad(
    error: unknown,
    window: TextWindow,
    start: number,
    line: number,
    out: DecodedRecords<T>,
  ): void {
    const cause = toMillraceError(error, 'ERR_INVALID_RECORD');
    // Without its header a file has no records at all: that is not for the error policy.
    if (this.plan === undefined || cause.code === 'ERR_INVALID_OPTION') throw cause;
    const placed = withContext(cause, { position: positionOfLine(line) });
    out.addBad(placed, rawText(window, start, line), line);
  }

  private useHeader(header: readonly string[]): void {
    this.plan = planRecords(header, this.format.columns);
    this.header = header;
  }

  private skipEmptyLine(window: TextWindow): boolean {
    const { text, at } = window;
    const code = text.charCodeAt(at);
    const length = code === 10 ? 1 : code === 13 && isLineEnd(text, at + 1) ? 2 : 0;
    if (length === 0) return false;
    window.at = Math.min(at + length, text.length);
    window.line += 1;
    return true;
  }
}

const isLineEnd = (text: string, at: number): boolean =>
  at >= text.length || text.charCodeAt(at) === 10;

function refuseRow(scan: 'open' | 'broken'): never {
  const detail =
    scan === 'open' ? 'a quote is not closed' : 'a closing quote is followed by more text';
  throw new MillraceError('ERR_INVALID_RECORD', detail);
}
