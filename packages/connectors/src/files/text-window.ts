import { isAscii, isUtf8 } from 'node:buffer';
import { connectorLimits } from '../limits.js';
import { lastBytes } from './byte-input.js';

/** How the bytes of a text file become characters. */
export type TextEncoding = 'utf8' | 'latin1';

/** Where reading goes on in a text file: JSON. */
export interface TextPosition {
  /** Offset in the unpacked bytes. */
  readonly byte: number;
  /** Number of the line that begins there; the first is 1. */
  readonly line: number;
}

export const textStart: TextPosition = { byte: 0, line: 1 };

const newline = 0x0a;
const nothing = Buffer.alloc(0);
const byteOrderMark = 0xfeff;
/** No character of UTF-16 takes more bytes of UTF-8. */
const bytesPerCharMax = 3;

/**
 * Whole lines of a byte stream as text, moving along it.
 *
 * Laws: `text` ends with a newline unless the stream ended without one. Whoever reads moves `at`
 * and `line` together, to beginnings of lines; so offsets are found by counting newlines, which
 * holds in any encoding, and only when somebody asks. Of a line far longer than `lineCharsMax`
 * only the beginning is kept, still longer than that, so that its reader refuses it.
 */
export class TextWindow {
  text = '';
  /** Index in `text` of the first character that was not read yet. */
  at = 0;
  /** Number of the line that begins at `at`. */
  line: number;
  /** Some bytes of `text` are not valid UTF-8 and stand there as U+FFFD. */
  isLossy = false;
  /** No bytes follow those of `text`. */
  hasEnded = false;
  readonly lineCharsMax: number;
  private readonly encoding: TextEncoding;
  /** The bytes of `text`, the offset of the first, and the number of its line. */
  private bytes: Buffer = nothing;
  private baseByte: number;
  private baseLine: number;
  /** A line asked for before, and where it begins in `bytes`: lines are asked for in order. */
  private markedLine: number;
  private markedIndex = 0;
  /** The last bytes before those, as many as identify a file, unless some were thrown away. */
  private before: Buffer = nothing;
  /** The bytes behind `text`: the beginning of a line. */
  private rest: Buffer = nothing;
  /** The line whose end is being thrown away or was, and how many bytes of it. */
  private cutLine = 0;
  private cutBytes = 0;
  private isCutting = false;

  constructor(position: TextPosition, encoding: TextEncoding, lineCharsMax: number) {
    this.encoding = encoding;
    this.lineCharsMax = lineCharsMax;
    this.baseByte = position.byte;
    this.baseLine = position.line;
    this.markedLine = position.line;
    this.line = position.line;
  }

  /** Of the next line to be read. */
  get position(): TextPosition {
    return { byte: this.byteAt(this.indexOfLine(this.line)), line: this.line };
  }

  /** The bytes before `position`, as many as identify a file, unless some were thrown away. */
  get bytesBefore(): Buffer {
    return this.bytesUpTo(this.indexOfLine(this.line));
  }

  /** Says which bytes come before the first that is fed. */
  beginBehind(bytes: Buffer): void {
    this.before = bytes;
  }

  get isAtEnd(): boolean {
    return this.hasEnded && this.at >= this.text.length;
  }

  /** Adds the next bytes of the stream. What was not read of `text` stays, and joins them. */
  feed(block: Buffer): void {
    if (!this.isCutting) {
      this.advance(block);
      return;
    }
    const end = block.indexOf(newline);
    this.cutBytes += end < 0 ? block.length : end;
    if (end < 0) return;
    this.isCutting = false;
    this.advance(block.subarray(end));
  }

  /** The stream has ended: the last line counts without a newline, too. */
  end(): void {
    this.hasEnded = true;
    this.isCutting = false;
    this.advance(nothing);
  }

  /** Whether the lines from a number up to `line` (not included) are valid text. */
  isValid(fromLine: number, toLine: number): boolean {
    return !this.isLossy || isUtf8(this.bytesOf(fromLine, toLine));
  }

  /** A copy of the bytes of some lines. */
  bytesOf(fromLine: number, toLine: number): Uint8Array {
    const start = this.indexOfLine(fromLine);
    const end = this.indexBehind(start, toLine - fromLine);
    return Uint8Array.prototype.slice.call(this.bytes, start, end);
  }

  private advance(block: Buffer): void {
    const readTo = this.indexOfLine(this.line);
    const unread = this.bytes.subarray(readTo);
    // A copy, which does not keep all the bytes that were read.
    if (readTo > 0) this.before = Buffer.from(this.bytesUpTo(readTo));
    this.baseByte = this.byteAt(readTo);
    this.baseLine = this.line;
    if (this.line > this.cutLine) this.cutBytes = 0;
    const all = Buffer.concat([unread, this.rest, block]);
    const end = this.hasEnded ? all.length : all.lastIndexOf(newline) + 1;
    this.bytes = all.subarray(0, end);
    this.rest = all.subarray(end);
    this.markedLine = this.baseLine;
    this.markedIndex = 0;
    this.decode();
    this.cutRest();
  }

  private decode(): void {
    const { bytes } = this;
    const isPlain = this.encoding === 'latin1' || isAscii(bytes);
    this.text = isPlain ? bytes.toString('latin1') : bytes.toString('utf8');
    this.isLossy = !isPlain && !isUtf8(bytes);
    this.at = this.baseByte === 0 && this.text.charCodeAt(0) === byteOrderMark ? 1 : 0;
  }

  private cutRest(): void {
    // At least two blocks, so that a line cut before has been read when the next one is cut.
    const { readBlockBytes } = connectorLimits;
    // A byte order mark and a last carriage return do not count to what must be too long.
    const bytesMax = Math.max((this.lineCharsMax + 2) * bytesPerCharMax, readBlockBytes * 2);
    if (this.rest.length <= bytesMax) return;
    this.isCutting = true;
    this.cutLine = this.baseLine + countNewlines(this.bytes);
    this.cutBytes = this.rest.length - bytesMax;
    this.rest = this.rest.subarray(0, bytesMax);
  }

  /** Offset of an index in `bytes` up to which all has been read. */
  private byteAt(index: number): number {
    return this.baseByte + index + (this.isBehindCut ? this.cutBytes : 0);
  }

  private bytesUpTo(index: number): Buffer {
    const { bytes, before } = this;
    const { identityBytes } = connectorLimits;
    if (!this.isBehindCut) return lastBytes([before, bytes.subarray(0, index)], identityBytes);
    const newlineOfCut = this.indexOfLine(this.cutLine + 1) - 1;
    return lastBytes([bytes.subarray(newlineOfCut, index)], identityBytes);
  }

  private get isBehindCut(): boolean {
    return this.line > this.cutLine && this.cutBytes > 0;
  }

  /** Where a line begins in `bytes`. */
  private indexOfLine(line: number): number {
    if (line === this.line && this.at >= this.text.length) return this.bytes.length;
    if (line < this.markedLine) {
      this.markedLine = this.baseLine;
      this.markedIndex = 0;
    }
    this.markedIndex = this.indexBehind(this.markedIndex, line - this.markedLine);
    this.markedLine = line;
    return this.markedIndex;
  }

  /** Where `bytes` go on behind some lines that begin at an index. */
  private indexBehind(start: number, lines: number): number {
    let index = start;
    for (let passed = 0; passed < lines; passed += 1) {
      const end = this.bytes.indexOf(newline, index);
      if (end < 0) return this.bytes.length;
      index = end + 1;
    }
    return index;
  }
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}
