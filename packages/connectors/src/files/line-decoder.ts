import { toMillraceError, withContext } from '@millrace/core/internal';
import { type DecodedRecords, positionOfLine, type RecordDecoder } from './record-decoder.js';
import type { TextWindow } from './text-window.js';
import { assertValidText, rawText, refuseLong } from './unreadable-text.js';

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
      let end = newline < 0 ? text.length : newline;
      window.at = newline < 0 ? end : end + 1;
      window.line += 1;
      if (end > start && text.charCodeAt(end - 1) === 13) end -= 1;
      if (end > start) this.decodeLine(window, start, end, out);
    }
  }

  private decodeLine(window: TextWindow, start: number, end: number, out: DecodedRecords<T>): void {
    const number = window.line - 1;
    try {
      if (end - start > window.lineCharsMax) refuseLong(window);
      assertValidText(window, number);
      out.values.push(this.parse(window.text.slice(start, end)));
      out.lines.push(number);
    } catch (error) {
      const cause = toMillraceError(error, 'ERR_INVALID_RECORD');
      // A schema or option that cannot be used is not the line's fault.
      if (cause.code === 'ERR_INVALID_OPTION') throw cause;
      const placed = withContext(cause, { position: positionOfLine(number) });
      out.addBad(placed, rawText(window, start, number), number);
    }
  }
}
