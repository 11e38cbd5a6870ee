import { MillraceError } from '@millrace/core';
import type { BlobWriter, CheckpointStore, Random, Storage } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';
import { randomId } from './blob-names.js';
import { FolderBlobWriter } from './folder-blob-writer.js';

export interface FolderCheckpointStoreOptions {
  readonly storage: Storage;
  readonly folder: string;
  /** For temporary names. */
  readonly random: Random;
}

/** Where blobs are while they are written; one folder, so that leftovers are found at once. */
const asideFolder = '.aside';

/**
 * Blobs as files of a folder. Each is written aside, synced, renamed, its folder synced, and then
 * read back: what has a name is whole and outlives a power cut.
 */
export class FolderCheckpointStore implements CheckpointStore {
  private readonly storage: Storage;
  private readonly folder: string;
  private readonly random: Random;
  private readonly foldersMade = new Set<string>();

  constructor(options: FolderCheckpointStoreOptions) {
    this.storage = options.storage;
    this.folder = options.folder;
    this.random = options.random;
  }

  /**
   * Removes what crashed processes left half written. A living one whose file goes with it gets
   * `ERR_STORAGE_MISSING` when it completes it; so only the owner of the job calls this.
   *
   * @param assertOwner asked once it is known what to remove: what is found ahead of that no
   *   successor has written, however long this process is stopped afterwards
   */
  async clean(assertOwner: () => Promise<void>): Promise<void> {
    const aside = `${this.folder}/${asideFolder}`;
    const names = await this.storage.list(aside);
    await assertOwner();
    for (const name of names) await this.storage.remove(`${aside}/${name}`);
  }

  async create(name: string): Promise<BlobWriter> {
    const path = this.pathOf(name);
    const aside = `${this.folder}/${asideFolder}/${randomId(this.random)}`;
    await this.makeFolderOf(aside);
    await this.makeFolderOf(path);
    const file = await this.storage.create(aside);
    return new FolderBlobWriter({ name, path, aside, file }, this.storage);
  }

  read(name: string, fromByte?: number, length?: number): Promise<Uint8Array> {
    return this.storage.read(this.pathOf(name), fromByte, length);
  }

  size(name: string): Promise<number | undefined> {
    return this.storage.size(this.pathOf(name));
  }

  async list(prefix: string): Promise<readonly string[]> {
    const end = prefix.lastIndexOf('/') + 1;
    const names = await this.listFolder(prefix.slice(0, end), prefix.slice(end));
    return names.sort();
  }

  remove(name: string): Promise<void> {
    return this.storage.remove(this.pathOf(name));
  }

  async adopt(store: CheckpointStore, from: string, name: string): Promise<void> {
    if (store instanceof FolderCheckpointStore && store.storage === this.storage) {
      if (await this.linkFrom(store.pathOf(from), this.pathOf(name))) return;
    }
    await this.copyFrom(store, from, name);
  }

  private pathOf(name: string): string {
    const parts = name.split('/');
    if (parts.some((part) => !/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(part))) {
      throw new MillraceError('ERR_INVARIANT', `${JSON.stringify(name)} is no name of a blob`);
    }
    return `${this.folder}/${name}`;
  }

  private async makeFolderOf(path: string): Promise<void> {
    const folder = parentOf(path);
    if (this.foldersMade.has(folder)) return;
    await this.storage.makeFolder(folder);
    // Savepoints have a folder each; those are the only ones that could become many.
    if (this.foldersMade.size < runtimeLimits.foldersRememberedMax) this.foldersMade.add(folder);
  }

  private async listFolder(folder: string, start: string): Promise<string[]> {
    const found: string[] = [];
    for (const entry of await this.storage.list(`${this.folder}/${folder}`)) {
      if (!entry.startsWith(start) || entry.startsWith('.')) continue;
      const name = folder + entry;
      // Only files have a size.
      if ((await this.storage.size(`${this.folder}/${name}`)) !== undefined) found.push(name);
      else found.push(...(await this.listFolder(`${name}/`, '')));
    }
    return found;
  }

  /** Whether it worked: between file systems, and on some kinds of them, there are no links. */
  private async linkFrom(from: string, to: string): Promise<boolean> {
    await this.makeFolderOf(to);
    try {
      if ((await this.storage.link(from, to)) === 'taken') return false;
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'ERR_STORAGE_FAILED') return false;
      throw error;
    }
    await this.storage.syncFolder(parentOf(to));
    return true;
  }

  private async copyFrom(store: CheckpointStore, from: string, name: string): Promise<void> {
    const bytes = await store.size(from);
    if (bytes === undefined) throw new MillraceError('ERR_STORAGE_MISSING', `blob ${from}`);
    const writer = await this.create(name);
    try {
      for (let at = 0; at < bytes; at += runtimeLimits.blobReadBytes) {
        await writer.write(await store.read(from, at, runtimeLimits.blobReadBytes));
      }
      await writer.complete();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
