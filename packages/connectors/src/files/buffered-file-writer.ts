import { type FileHandle, open } from 'node:fs/promises';
import { MillraceError } from '@millrace/core';
import type { SinkContext } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';

/** What becomes of what a file already holds when a job starts or restarts. */
export type ExistingFile = 'append' | 'truncate';

export const subtaskMark = '{subtask}';

/**
 * The path a subtask writes to: two subtasks never share a file.
 *
 * @throws MillraceError ERR_INVALID_OPTION when they would
 */
export function pathOfSubtask(path: string, { subtask, parallelism }: SinkContext): string {
  if (parallelism > 1 && !path.includes(subtaskMark)) {
    const detail = `${parallelism} subtasks would write ${path}; put ${subtaskMark} in the path`;
    throw new MillraceError('ERR_INVALID_OPTION', detail, { field: 'path' });
  }
  return path.replaceAll(subtaskMark, String(subtask));
}

/** Writes text to a file in large pieces. All failures are ERR_SINK_FAILED naming the path. */
export class BufferedFileWriter {
  private readonly path: string;
  private file: FileHandle | undefined;
  private buffered = '';

  constructor(path: string) {
    this.path = path;
  }

  /** Opens the file and says whether it is empty. A last line that was torn off is ended. */
  async open(existing: ExistingFile): Promise<{ readonly isEmpty: boolean }> {
    return this.guard(async () => {
      this.file = await open(this.path, existing === 'append' ? 'a+' : 'w');
      const { size } = await this.file.stat();
      if (size === 0) return { isEmpty: true };
      const last = Buffer.alloc(1);
      await this.file.read(last, 0, 1, size - 1);
      if (last[0] !== 0x0a) this.buffered = '\n';
      return { isEmpty: false };
    });
  }

  /** Takes text; a promise when the buffer is full and has to be written first. */
  add(text: string): undefined | Promise<void> {
    this.buffered += text;
    return this.buffered.length < connectorLimits.writeBufferChars ? undefined : this.flush();
  }

  /** Hands everything to the operating system. */
  async flush(): Promise<void> {
    const { buffered } = this;
    if (buffered === '') return;
    this.buffered = '';
    await this.guard(() => this.opened().appendFile(buffered));
  }

  /** Writes everything so that it outlives the machine's power. */
  async finish(): Promise<void> {
    await this.flush();
    await this.guard(() => this.opened().sync());
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await this.guard(async () => file?.close());
  }

  private opened(): FileHandle {
    if (this.file === undefined) throw new Error('the file is not open');
    return this.file;
  }

  private async guard<R>(action: () => Promise<R>): Promise<R> {
    try {
      return await action();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MillraceError('ERR_SINK_FAILED', `cannot write ${this.path}: ${reason}`, { cause });
    }
  }
}
