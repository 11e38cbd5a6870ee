import { MillraceError } from '@millrace/core';
import type {
  CompareAndSetResult,
  MetaRecord,
  MetaStore,
  Random,
  Storage,
} from '@millrace/core/spi';
import { sha256 } from '../host/digest.js';
import { runtimeLimits } from '../limits.js';
import { digits, randomId } from './blob-names.js';
import { decodeRevision, encodeRevision, type Revision } from './meta-revision.js';

export interface FolderMetaStoreOptions {
  readonly storage: Storage;
  readonly folder: string;
  /** For temporary names. */
  readonly random: Random;
}

/**
 * Records in a folder: revision 7 of `commit` is the file `commit/0000000000007.rec`, made by an
 * exclusive link to a complete and synced file, so that one of several writers gets the name.
 * The highest number is the record. Files more than 16 revisions old are deleted by winners.
 *
 * Deleting frees names, and a writer that slept may then link a revision that others had long
 * ago. Why it never takes that for success:
 *
 * 1. Revision r is freed only when r + 16 exists, and the highest is never freed. So, once r was
 *    there, there is always a file numbered r or higher, and after r was freed a higher one.
 * 2. After its link a writer lists the folder. If nothing is higher, r was never there before,
 *    by 1: it is the winner. Otherwise revision r + 1, if it is there, says which r it followed,
 *    by checksum: that decides. If it is not, the writer slept through 16 revisions; it rejects,
 *    and its caller, who must expect that of any call, finds the record at another revision.
 * 3. What a sleeper left under an old number is below the highest, so no reader takes it for the
 *    record; the next winner deletes it with all other old ones. A winner that slept before it
 *    deletes removes numbers that were old then, and are older now.
 *
 * A revision that somebody has read outlives a power cut: reading syncs the folder. A power cut
 * may leave r + 1 without r when neither was synced: then both were linked, r + 1 is the record,
 * and nobody was told otherwise.
 *
 * 2 takes a folder's listing for a snapshot. File systems give folders as small as these in one
 * piece.
 */
export class FolderMetaStore implements MetaStore {
  private readonly storage: Storage;
  private readonly folder: string;
  private readonly random: Random;

  constructor(options: FolderMetaStoreOptions) {
    this.storage = options.storage;
    this.folder = options.folder;
    this.random = options.random;
  }

  /**
   * Removes a record's half-written files; a living writer whose file goes with it rejects.
   *
   * @param assertOwner asked once it is known what to remove
   */
  async clean(name: string, assertOwner: () => Promise<void>): Promise<void> {
    const folder = this.folderOf(name);
    const entries = await this.storage.list(folder);
    await assertOwner();
    for (const entry of entries) {
      if (entry.startsWith(asidePrefix)) await this.storage.remove(`${folder}/${entry}`);
    }
  }

  /** @throws MillraceError `ERR_CHECKPOINT_CORRUPT` when the newest revision is damaged */
  async read(name: string): Promise<MetaRecord | undefined> {
    return (await this.newest(this.folderOf(name)))?.record;
  }

  async compareAndSet(
    name: string,
    expected: number,
    value: Uint8Array,
  ): Promise<CompareAndSetResult> {
    const folder = this.folderOf(name);
    const current = await this.newest(folder);
    if ((current?.record.revision ?? 0) !== expected) return { ok: false };

    const revision = expected + 1;
    const bytes = encodeRevision({ revision, previous: current?.checksum ?? '', value });
    if ((await this.linkRevision(folder, revision, bytes)) === 'taken') return { ok: false };
    await this.storage.syncFolder(folder);

    const verdict = await this.judge(folder, revision, sha256(bytes));
    if (verdict === 'won') await this.deleteOld(folder, revision);
    return verdict === 'won' ? { ok: true, revision } : { ok: false };
  }

  private folderOf(name: string): string {
    if (!/^[a-z0-9][a-z0-9.-]*$/.test(name)) {
      throw new MillraceError('ERR_INVARIANT', `${JSON.stringify(name)} is no name of a record`);
    }
    return `${this.folder}/${name}`;
  }

  private async newest(folder: string): Promise<StoredRevision | undefined> {
    for (let reads = 0; reads < runtimeLimits.overtakenReadsMax; reads++) {
      const highest = (await this.revisions(folder)).at(-1);
      if (highest === undefined) return undefined;
      await this.storage.syncFolder(folder);
      const found = await this.load(folder, highest);
      // Missing: 16 others were written since the list was made.
      if (found !== undefined) return found;
    }
    throw new MillraceError('ERR_STORAGE_FAILED', `${folder}: written faster than it can be read`);
  }

  /** Numbers of the revisions that are there, in order. */
  private async revisions(folder: string): Promise<number[]> {
    const names = await this.storage.list(folder);
    return names.flatMap((name) => {
      const match = /^(\d{13})\.rec$/.exec(name);
      return match === null ? [] : [Number(match[1])];
    });
  }

  private async load(folder: string, revision: number): Promise<StoredRevision | undefined> {
    const path = pathOf(folder, revision);
    const bytes = await this.unlessMissing(() => this.storage.read(path));
    if (bytes === undefined) return undefined;
    const { previous, value } = decodeRevision(bytes, revision, path);
    return { record: { revision, value }, previous, checksum: sha256(bytes) };
  }

  private async linkRevision(
    folder: string,
    revision: number,
    bytes: Uint8Array,
  ): Promise<'linked' | 'taken'> {
    const aside = `${folder}/${asidePrefix}${randomId(this.random)}`;
    if (revision === 1) await this.storage.makeFolder(folder);
    const file = await this.storage.create(aside);
    try {
      try {
        await file.write(bytes, 0);
        await file.sync();
      } finally {
        await file.close();
      }
      return await this.storage.link(aside, pathOf(folder, revision));
    } finally {
      await this.forgive(() => this.storage.remove(aside));
    }
  }

  /** See the class: whether the link that was made is the one that counts. */
  private async judge(folder: string, revision: number, checksum: string): Promise<Verdict> {
    const revisions = await this.revisions(folder);
    if (revisions.at(-1) === revision) return this.readBack(folder, revision, checksum);
    const successor = await this.load(folder, revision + 1);
    if (successor !== undefined) return successor.previous === checksum ? 'won' : 'lost';
    throw new MillraceError(
      'ERR_STORAGE_FAILED',
      `${pathOf(folder, revision)}: others wrote many revisions meanwhile`,
    );
  }

  private async readBack(folder: string, revision: number, checksum: string): Promise<Verdict> {
    const found = await this.load(folder, revision);
    // Gone, or another's: it was overtaken between list and read, or the disk lies.
    if (found?.checksum === checksum) return 'won';
    throw new MillraceError(
      'ERR_STORAGE_FAILED',
      `${pathOf(folder, revision)} is not what was written to it`,
    );
  }

  /** The compare-and-set has happened: what cannot be deleted now is deleted by the next. */
  private async deleteOld(folder: string, revision: number): Promise<void> {
    await this.forgive(async () => {
      for (const old of await this.revisions(folder)) {
        if (old > revision - runtimeLimits.revisionsKept) return;
        await this.storage.remove(pathOf(folder, old));
      }
    });
  }

  private async unlessMissing<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'ERR_STORAGE_MISSING') return undefined;
      throw error;
    }
  }

  private async forgive(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
    }
  }
}

type Verdict = 'won' | 'lost';

interface StoredRevision extends Pick<Revision, 'previous'> {
  readonly record: MetaRecord;
  readonly checksum: string;
}

const asidePrefix = '.aside-';

function pathOf(folder: string, revision: number): string {
  return `${folder}/${digits(revision)}.rec`;
}
