import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';

/** What a scan found at its place: a row, a row whose last quote is open, or no CSV. */
export type RowScan = 'row' | 'open' | 'broken';

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Finds the fields of one CSV row (RFC 4180) in a text, as indexes into it, so that fields nobody
 * wants cost nothing. A quote inside an unquoted field stands for itself.
 */
export class CsvRowScanner {
  /** Fields of the row, also those beyond `csvColumnsMax`, of which nothing else is kept. */
  fieldCount = 0;
  /** Where each field begins and ends, without its quotes. */
  readonly starts = new Int32Array(connectorLimits.csvColumnsMax);
  readonly ends = new Int32Array(connectorLimits.csvColumnsMax);
  /** Behind the row and its newline. */
  next = 0;
  /** Behind the last character that the verdict on the row depends on. */
  scannedTo = 0;
  /** Lines the row takes. */
  lineCount = 1;
  private readonly hasDoubledQuotes = new Uint8Array(connectorLimits.csvColumnsMax);
  private doubledFields = 0;
  private readonly delimiter: number;
  /** Of the field in quotes that was scanned last. */
  private quoteEnd = 0;
  private hasDoubled = false;

  /** @param delimiter code of the character between fields */
  constructor(delimiter: number) {
    this.delimiter = delimiter;
  }

  /**
   * Scans the row that begins at `at`. Unless it is open, `next` and `lineCount` say where to go
   * on.
   */
  scan(text: string, at: number): RowScan {
    const { starts, ends, delimiter } = this;
    const { length } = text;
    if (this.doubledFields > 0) this.forgetDoubled();
    this.lineCount = 1;
    let count = 0;
    let index = at;
    for (;;) {
      let start = index;
      let end: number;
      let code = index < length ? text.charCodeAt(index) : lineFeed;
      if (code === quote) {
        if (!this.scanQuoted(text, index + 1)) {
          this.scannedTo = length;
          return 'open';
        }
        start = index + 1;
        end = this.quoteEnd;
        index = end + 1;
        if (text.charCodeAt(index) === carriageReturn) {
          if (index + 1 >= length || text.charCodeAt(index + 1) === lineFeed) index += 1;
        }
        code = index < length ? text.charCodeAt(index) : lineFeed;
        if (code !== delimiter && code !== lineFeed) return this.breakAt(text, index);
        if (this.hasDoubled && count < starts.length) this.markDoubled(count);
      } else {
        while (code !== delimiter && code !== lineFeed) {
          index += 1;
          code = index < length ? text.charCodeAt(index) : lineFeed;
        }
        end = index;
        if (code === lineFeed && end > start && text.charCodeAt(end - 1) === carriageReturn) {
          end -= 1;
        }
      }
      starts[count] = start;
      ends[count] = end;
      count += 1;
      index += 1;
      if (code === lineFeed) break;
    }
    this.fieldCount = count;
    this.next = Math.min(index, length);
    this.scannedTo = this.next;
    return 'row';
  }

  /** The text of a field of the row scanned last. */
  field(text: string, index: number): string {
    const field = text.slice(this.starts[index], this.ends[index]);
    return this.hasDoubledQuotes[index] === 1 ? field.replaceAll('""', '"') : field;
  }

  /**
   * The texts of all fields of the row scanned last.
   *
   * @throws MillraceError ERR_INVALID_RECORD when there are more than `csvColumnsMax`
   */
  fields(text: string): readonly string[] {
    const { csvColumnsMax } = connectorLimits;
    if (this.fieldCount > csvColumnsMax) {
      const detail = `it has ${this.fieldCount} fields, more than ${csvColumnsMax}`;
      throw new MillraceError('ERR_INVALID_RECORD', detail);
    }
    return Array.from({ length: this.fieldCount }, (_, index) => this.field(text, index));
  }

  /** Goes on behind the first line of what was scanned at `at`, instead of behind all of it. */
  skipFirstLine(text: string, at: number): void {
    this.lineCount = 1;
    this.next = behindLine(text, at);
  }

  private breakAt(text: string, at: number): 'broken' {
    this.scannedTo = at;
    this.next = behindLine(text, at);
    return 'broken';
  }

  /** Finds the closing quote; false when there is none. */
  private scanQuoted(text: string, from: number): boolean {
    this.hasDoubled = false;
    let end = text.indexOf('"', from);
    while (end >= 0 && text.charCodeAt(end + 1) === quote) {
      this.hasDoubled = true;
      end = text.indexOf('"', end + 2);
    }
    if (end < 0) return false;
    for (let at = from; at < end; at += 1) {
      if (text.charCodeAt(at) === lineFeed) this.lineCount += 1;
    }
    this.quoteEnd = end;
    return true;
  }

  private markDoubled(index: number): void {
    this.hasDoubledQuotes[index] = 1;
    this.doubledFields += 1;
  }

  private forgetDoubled(): void {
    this.hasDoubledQuotes.fill(0);
    this.doubledFields = 0;
  }
}

function behindLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline + 1;
}
