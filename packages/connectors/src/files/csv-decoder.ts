import { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { CsvColumns } from './csv-columns.js';
import { type CsvRecordPlan, planRecords, recordOf } from './csv-record-plan.js';
import { CsvRowScanner } from './csv-row-scanner.js';
import { refuseUnreadable } from './line-decoder.js';
import { type DecodedRecords, positionOfLine, type RecordDecoder } from './record-decoder.js';
import { applySchema, type RecordSchema } from './schema-check.js';
import type { TextWindow } from './text-window.js';

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
    const { row } = this;
    const { text } = window;
    while (window.at < text.length && !out.isFull) {
      const start = window.at;
      if (this.skipEmptyLine(window)) continue;
      const line = window.line;
      const scan = row.scan(text, start);
      if (scan === 'open') {
        const isLost = window.hasEnded || text.length - start > window.lineCharsMax;
        if (!isLost) return;
        // The next row is looked for behind the line with the quote, which likely is a slip.
        row.skipLine(text, start);
        row.lineCount = 1;
      }
      window.at = row.next;
      window.line += row.lineCount;
      const length = row.next - start;
      if (window.isLossy || length > window.lineCharsMax) {
        const raw = withoutNewline(text.slice(start, row.next));
        if (refuseUnreadable(raw, line, window, out)) continue;
      }
      try {
        if (scan !== 'row') refuseRow(scan);
        this.takeRow(text, line, out);
      } catch (error) {
        const raw = withoutNewline(text.slice(start, row.next));
        this.addBad(error, raw, line, out);
      }
    }
  }

  private takeRow(text: string, line: number, out: DecodedRecords<T>): void {
    const { row, plan } = this;
    if (plan === undefined) {
      this.useHeader(Array.from({ length: row.fieldCount }, (_, index) => row.field(text, index)));
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

  private addBad(error: unknown, raw: string, line: number, out: DecodedRecords<T>): void {
    const placed = toMillraceError(error, 'ERR_INVALID_RECORD', { position: positionOfLine(line) });
    // Without its header a file has no records at all: that is not for the error policy.
    if (this.plan === undefined || placed.code === 'ERR_INVALID_OPTION') throw placed;
    out.addBad(placed, raw, line);
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

const withoutNewline = (text: string): string => text.replace(/\r?\n$/, '');

function refuseRow(scan: 'open' | 'broken'): never {
  const detail =
    scan === 'open' ? 'a quote is not closed' : 'a closing quote is followed by more text';
  throw new MillraceError('ERR_INVALID_RECORD', detail);
}
