import type { BadInput } from '@millrace/core/spi';
import type { TextWindow } from './text-window.js';

/** Turns the text of a file into records. */
export interface RecordDecoder<T> {
  /**
   * Reads on in the window until `out` is full or the window has no whole record left. A decoder
   * that leaves text unread wants more of it: the next window begins with the same text. When
   * `window.hasEnded` it leaves nothing unread.
   */
  decode(window: TextWindow, out: DecodedRecords<T>): void;
  /** What the decoder has to know when it goes on after a restart: JSON. */
  carried?(): unknown;
}

/** Records on their way from a decoder into a chunk. */
export class DecodedRecords<T> {
  readonly values: T[] = [];
  /** Numbers of the lines in which the records begin. */
  readonly lines: number[] = [];
  readonly bad: BadInput[] = [];
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  get isFull(): boolean {
    return this.values.length + this.bad.length >= this.max;
  }

  addBad(error: unknown, raw: string | Uint8Array, line: number): void {
    this.bad.push({ error, raw, position: positionOfLine(line) });
  }
}

export const positionOfLine = (line: number): string => `line ${line}`;
