import { join } from 'node:path';
import type { Env } from '@millrace/core/spi';
import type { SinkDestination } from './sink-destination.js';

/** What the names of a subtask's part files are made of. */
export interface PartNames {
  /** With a `/` at its end. */
  readonly folder: string;
  readonly subtask: number;
  /** Without a dot. */
  readonly extension: string;
}

/** What the name of a subtask's part files begins with. */
export const partStem = (subtask: number): string => `part-${subtask}`;

/** A folder that gets a file `part-SUBTASK-CHECKPOINT.EXTENSION` for each checkpoint with rows. */
export class PartFolder implements SinkDestination {
  readonly home: string;
  readonly head: string;
  readonly endByte = null;
  private readonly names: PartNames;
  private readonly env: Env;

  constructor(env: Env, names: PartNames, head: string) {
    this.env = env;
    this.names = names;
    this.home = names.folder;
    this.head = head;
  }

  async open(): Promise<string> {
    await this.env.storage.makeFolder(this.home);
    return '';
  }

  async place(checkpoint: number) {
    const { subtask, extension } = this.names;
    const stem = join(this.home, `${partStem(subtask)}-${checkpoint}`);
    let target = `${stem}.${extension}`;
    // A job that was started anew counts its checkpoints from 1 again.
    for (let copy = 2; (await this.env.storage.size(target)) !== undefined; copy += 1) {
      target = `${stem}-${copy}.${extension}`;
    }
    return { target, atByte: null };
  }
}
