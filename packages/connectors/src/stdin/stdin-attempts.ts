import type { Split } from '@millrace/core/spi';
import type { ByteInput } from '../files/byte-input.js';
import { TextCursor, type TextFormat } from '../files/text-cursor.js';
import type { SplitCursor } from '../reading/split-cursor.js';

/**
 * Standard input for all attempts of a job. They share one cursor: what it has read ahead, a
 * header and half a line do not come again, and a stream that was destroyed cannot be read.
 */
export class StdinAttempts<T> {
  private readonly format: TextFormat<T>;
  private cursor: TextCursor<T> | undefined;
  private wake: () => void = ignore;

  constructor(format: TextFormat<T>) {
    this.format = format;
  }

  /** Goes on behind what the last attempt was given. */
  open({ id }: Split, wake: () => void): SplitCursor<T> {
    this.wake = wake;
    process.stdin.ref?.();
    this.cursor ??= new TextCursor({ id }, this.format, stdinBytes, () => this.wake());
    const { cursor } = this;
    return {
      get isReady() {
        return cursor.isReady;
      },
      poll: (max) => cursor.poll(max),
      position: () => undefined,
      close: async () => {
        this.wake = ignore;
        letGo();
      },
    };
  }
}

const ignore = (): void => {};

const stdinBytes = (): ByteInput => ({ blocks: process.stdin, stop: letGo });

/** The process may end while a block is awaited; a file, which always gives one, cannot be asked. */
function letGo(): void {
  process.stdin.unref?.();
}
