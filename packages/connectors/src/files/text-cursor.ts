import { MillraceError } from '@millrace/core';
import { toMillraceError } from '@millrace/core/internal';
import type { SourceChunk, Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { ReadAhead } from '../reading/read-ahead.js';
import type { SplitCursor } from '../reading/split-cursor.js';
import type { ByteInput } from './byte-input.js';
import { type FilePosition, identityOf, knownBytes } from './file-identity.js';
import { DecodedRecords, positionOfLine, type RecordDecoder } from './record-decoder.js';
import { type TextEncoding, type TextPosition, TextWindow, textStart } from './text-window.js';

/** Position of a split: the next line, what the file was up to there, what its decoder carries. */
export interface TextSplitPosition extends TextPosition, FilePosition {
  readonly carried?: unknown;
}

/** How a split becomes records. */
export interface TextFormat<T> {
  readonly encoding: TextEncoding;
  /** Characters of a line or row; a longer one is bad input. */
  readonly lineCharsMax: number;
  /** A decoder for one split; `carried` is what an earlier one carried, after a restart. */
  createDecoder(carried: unknown): RecordDecoder<T>;
}

/** Reads one text file, or what else comes as bytes. */
export class TextCursor<T> implements SplitCursor<T> {
  /** What was not read yet is there, however long a disk or another file takes. */
  readonly isEmpty = false;
  private readonly split: string;
  private readonly input: ByteInput;
  private readonly ahead: ReadAhead<Buffer>;
  private readonly window: TextWindow;
  private readonly decoder: RecordDecoder<T>;
  private readonly start: TextSplitPosition;
  /** The first bytes of a file, as many as identify it. */
  private head: Buffer | undefined;
  /** The last chunk was full: there may be more in the window. */
  private hasText = false;

  constructor(
    split: Split,
    format: TextFormat<T>,
    open: (position: FilePosition) => ByteInput,
    wake: () => void,
  ) {
    this.start = (split.position as TextSplitPosition | undefined) ?? textStart;
    this.split = split.id;
    this.input = open(this.start);
    this.window = new TextWindow(this.start, format.encoding, format.lineCharsMax);
    this.decoder = format.createDecoder(this.start.carried);
    const itemsMax = connectorLimits.readAheadBlocksMax;
    this.ahead = new ReadAhead(this.input.blocks, { itemsMax, wake });
  }

  get isReady(): boolean {
    return this.hasText || this.ahead.isReady;
  }

  poll(max: number): SourceChunk<T> | undefined {
    const out = new DecodedRecords<T>(max);
    const { window } = this;
    this.decode(out);
    while (!out.isFull && !window.isAtEnd && this.readOn()) this.decode(out);
    this.hasText = out.isFull;
    const splitEnded = window.isAtEnd;
    if (out.values.length === 0 && out.bad.length === 0 && !splitEnded) return undefined;
    const { values, lines, bad } = out;
    return {
      split: this.split,
      values,
      start: 0,
      count: values.length,
      bad: bad.length === 0 ? undefined : bad,
      positionOf: (index) => positionOfLine(lines[index]!),
      splitEnded,
    };
  }

  position(): TextSplitPosition {
    const { position, bytesBefore } = this.window;
    // Nothing was read, and the file may not be open yet.
    if (position.byte === this.start.byte) return this.start;
    const carried = this.decoder.carried?.();
    const { found } = this.input;
    const head = this.head?.subarray(0, knownBytes(position.byte));
    return {
      ...position,
      ...(carried === undefined ? {} : { carried }),
      ...(found === undefined || head === undefined
        ? {}
        : { file: identityOf({ size: found.size, head, before: bytesBefore }) }),
    };
  }

  async close(): Promise<void> {
    this.input.stop();
    await this.ahead.close();
  }

  /** What a decoder throws is not about one record: it names the file. */
  private decode(out: DecodedRecords<T>): void {
    try {
      this.decoder.decode(this.window, out);
    } catch (error) {
      throw toMillraceError(error, 'ERR_SOURCE_FAILED', { position: this.split });
    }
  }

  /** Gives the window more text; false when there is none yet. */
  private readOn(): boolean {
    const { window, ahead } = this;
    if (window.hasEnded) {
      throw new MillraceError('ERR_INVARIANT', 'a decoder left text at the end of its input');
    }
    const [block] = ahead.take(1);
    if (block !== undefined) this.feed(block);
    else if (ahead.hasEnded) window.end();
    else return false;
    return true;
  }

  private feed(block: Buffer): void {
    const { found } = this.input;
    if (found !== undefined) {
      if (this.head === undefined) this.window.beginBehind(found.before);
      this.head ??= found.head;
      const missing = connectorLimits.identityBytes - this.head.length;
      if (missing > 0) this.head = Buffer.concat([this.head, block.subarray(0, missing)]);
    }
    this.window.feed(block);
  }
}
