import { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import { connectorLimits } from '../limits.js';
import { type DecodedRecords, positionOfLine, type RecordDecoder } from './record-decoder.js';
import type { TextWindow } from './text-window.js';

/**
 * One record a line; empty lines are skipped, and a carriage return before a newline is not part
 * of the line. What `parse` throws makes the line bad input.
 */
export class LineDecoder<T> implements RecordDecoder<T> {
  private readonly parse: (line: string) => T;

  constructor(parse: (line: string) => T) {
    this.parse = parse;
  }

  decode(window: TextWindow, out: DecodedRecords<T>): void {
    const { text } = window;
    while (window.at < text.length && !out.isFull) {
      const start = window.at;
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      window.at = newline < 0 ? end : end + 1;
      window.line += 1;
      const line = text.slice(start, text.charCodeAt(end - 1) === 13 ? end - 1 : end);
      if (line.length > 0) this.decodeLine(line, window, out);
    }
  }

  private decodeLine(line: string, window: TextWindow, out: DecodedRecords<T>): void {
    const number = window.line - 1;
    if (refuseUnreadable(line, number, window, out)) return;
    try {
      const value = this.parse(line);
      out.values.push(value);
      out.lines.push(number);
    } catch (error) {
      const position = positionOfLine(number);
      out.addBad(toMillraceError(error, 'ERR_INVALID_RECORD', { position }), line, number);
    }
  }
}

/** Refuses a record's text that is too long or no valid UTF-8; true when it did. */
export function refuseUnreadable<T>(
  text: string,
  line: number,
  window: TextWindow,
  out: DecodedRecords<T>,
): boolean {
  const position = positionOfLine(line);
  if (text.length > window.lineCharsMax) {
    const detail = `it is longer than ${window.lineCharsMax} characters`;
    const error = new MillraceError('ERR_INVALID_RECORD', detail, { position });
    out.addBad(error, text.slice(0, connectorLimits.longLineHeadChars), line);
    return true;
  }
  if (window.isLossy && !window.isValid(line, window.line)) {
    const error = new MillraceError('ERR_INVALID_RECORD', 'it is not valid UTF-8', { position });
    out.addBad(error, window.bytesOf(line, window.line), line);
    return true;
  }
  return false;
}
