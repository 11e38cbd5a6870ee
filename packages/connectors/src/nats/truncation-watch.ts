import type { Cancellable, Env } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';

/**
 * Says when a stream is to be asked where it begins: some time after sequences were left out, which
 * may have been removed before they were read, and now and then while there is nothing to read, so
 * that what is removed later is known to have been of no concern.
 */
export class TruncationWatch {
  private readonly env: Env;
  /** Gets the sequence before the first jump since the last call; undefined: there was none. */
  private readonly look: (jumpedFrom: number | undefined) => void;
  private jumpedFrom: number | undefined;
  private timer: Cancellable | undefined;
  private isOver = false;

  constructor(env: Env, look: (jumpedFrom: number | undefined) => void) {
    this.env = env;
    this.look = look;
  }

  /** The message after `sequence` was not the next one of the stream. */
  jumped(sequence: number): void {
    this.jumpedFrom ??= sequence;
    this.schedule();
  }

  idle(): void {
    this.schedule();
  }

  stop(): void {
    this.isOver = true;
    this.timer?.cancel();
  }

  private schedule(): void {
    if (this.isOver) return;
    this.timer ??= this.env.scheduler.after(connectorLimits.natsStreamCheckMs, () => {
      const { jumpedFrom } = this;
      this.timer = undefined;
      this.jumpedFrom = undefined;
      this.look(jumpedFrom);
    });
  }
}
