import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';
import { detached } from './detached-text.js';
import type { TextWindow } from './text-window.js';

/** Throws ERR_INVALID_RECORD: the text of a record is too long. */
export function refuseLong({ lineCharsMax }: TextWindow): never {
  throw new MillraceError('ERR_INVALID_RECORD', `it is longer than ${lineCharsMax} characters`);
}

/** Throws ERR_INVALID_RECORD when a line up to the window's is no valid UTF-8. */
export function assertValidText(window: TextWindow, fromLine: number): void {
  if (window.isValid(fromLine, window.line)) return;
  throw new MillraceError('ERR_INVALID_RECORD', 'it is not valid UTF-8');
}

/**
 * What the window has just moved over, to be shown as it was: without the last newline, as bytes
 * where it is no valid text, and of a line that is too long the beginning only.
 */
export function rawText(window: TextWindow, start: number, fromLine: number): string | Uint8Array {
  const { text, at, lineCharsMax, line } = window;
  let end = at;
  if (text.charCodeAt(end - 1) === 10) end -= 1;
  if (end > start && text.charCodeAt(end - 1) === 13) end -= 1;
  if (end - start > lineCharsMax) {
    return detached(text.slice(start, Math.min(end, start + connectorLimits.longLineHeadChars)));
  }
  if (!window.isValid(fromLine, line)) return window.bytesOf(fromLine, line);
  return detached(text.slice(start, end));
}
