import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Env, SinkContext } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import type { HiddenFileNames } from './hidden-files.js';
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

/** Names of hidden parts say whose they are: other sinks, and other jobs, may share the folder. */
export function hiddenPartNames(
  { folder, subtask, extension }: PartNames,
  { job, operatorId }: Pick<SinkContext, 'job' | 'operatorId'>,
): HiddenFileNames {
  const stem = partStem(subtask);
  const owner = [job, operatorId].map(shownIn).join('.');
  // What is not shown of the ids tells owners apart, too.
  const id = createHash('sha256').update(`${job}\n${operatorId}`).digest('hex').slice(0, 16);
  return { folder, name: `${stem}.${extension}.${owner}-${id}`, formerName: stem };
}

const shownIn = (id: string): string =>
  id.replaceAll(/[^\w.-]/g, '_').slice(0, connectorLimits.shownIdChars);

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
