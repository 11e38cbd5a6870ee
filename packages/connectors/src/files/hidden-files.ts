import { join } from 'node:path';
import type { Env } from '@millrace/core/spi';

/** What the names of a writer's hidden files are made of. */
export interface HiddenFileNames {
  readonly folder: string;
  /** Nobody else's in the folder: what begins with it is removed. */
  readonly name: string;
  /** A name of former versions, which may be somebody else's as well: such files are only told. */
  readonly formerName?: string | undefined;
}

/**
 * Names of a writer's hidden files: `.NAME.pending-CHECKPOINT-RANDOM`.
 *
 * CHECKPOINT is the last one that its maker knew to be committed. Law: whoever knows that a later
 * one is committed may remove the file, unless a checkpoint names it. A process that was paused
 * and does not know of its successor has seen no later commit than the one the successor began
 * with, and so never removes what that one has under way.
 */
export class HiddenFiles {
  readonly folder: string;
  private readonly stem: string;
  private readonly formerStem: string | undefined;
  private readonly env: Env;

  constructor(env: Env, { folder, name, formerName }: HiddenFileNames) {
    this.folder = folder;
    this.stem = stemOf(name);
    this.formerStem = formerName === undefined ? undefined : stemOf(formerName);
    this.env = env;
  }

  /** A path that no file has, nor another process will choose. */
  async newPath(committed: number): Promise<string> {
    for (;;) {
      const name = `${this.stem}${committed}-${this.randomHex()}${this.randomHex()}`;
      const path = join(this.folder, name);
      if ((await this.env.storage.size(path)) === undefined) return path;
    }
  }

  /**
   * Removes what was left behind before a checkpoint was committed. Resolves with the paths of those
   * that stay, but for what is to be kept.
   */
  async sweep(committed: number, keep: ReadonlySet<string>): Promise<readonly string[]> {
    const others: string[] = [];
    for (const name of await this.env.storage.list(this.folder)) {
      const own = checkpointIn(name, this.stem);
      const made = own ?? checkpointIn(name, this.formerStem);
      const path = join(this.folder, name);
      if (made === undefined || keep.has(path)) continue;
      if (own === undefined || own >= committed) others.push(path);
      else await this.env.storage.remove(path);
    }
    return others;
  }

  private randomHex(): string {
    const word = Math.floor(this.env.random.next() * 2 ** 32);
    return word.toString(16).padStart(8, '0');
  }
}

const stemOf = (name: string): string => `.${name}.pending-`;

/** The checkpoint in the name of a hidden file; undefined where it is none with that stem. */
function checkpointIn(name: string, stem: string | undefined): number | undefined {
  if (stem === undefined || !name.startsWith(stem)) return undefined;
  const [, made] = /^(\d+)-[0-9a-f]+$/.exec(name.slice(stem.length)) ?? [];
  return made === undefined ? undefined : Number(made);
}
