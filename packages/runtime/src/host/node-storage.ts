import { constants } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ErrorCode, MillraceError } from '@millrace/core';
import type { Storage, StorageFile } from '@millrace/core/spi';

/** The files and folders of this machine. Relative paths start at the process' folder. */
export const nodeStorage: Storage = {
  create: (path) => attempt('create', path, async () => new NodeFile(path, await open(path, 'w'))),

  open: (path) =>
    attempt('open', path, async () => {
      return new NodeFile(path, await open(path, constants.O_WRONLY | constants.O_CREAT));
    }),

  read: (path, fromByte = 0, length, into) =>
    attempt('read', path, async () => {
      const handle = await open(path, 'r');
      try {
        const wanted = length ?? (await sizeFrom(handle, fromByte));
        const isRoomy = into !== undefined && into.length >= wanted;
        const bytes = isRoomy ? into.subarray(0, wanted) : new Uint8Array(wanted);
        return await readFully(handle, fromByte, bytes);
      } finally {
        await handle.close();
      }
    }),

  size: (path) =>
    attempt('size', path, async () => {
      const found = await unlessMissing(() => stat(path));
      return found?.isFile() === true ? found.size : undefined;
    }),

  list: (folder) =>
    attempt('list', folder, async () =>
      ((await unlessMissing(() => readdir(folder))) ?? []).sort(),
    ),

  makeFolder: (path) => attempt('make folder', path, () => makeFolderDurably(resolve(path))),
  rename: (from, to) => attempt('rename', from, () => rename(from, to)),
  link: (from, to) => attempt('link', to, () => linkOnce(from, to)),

  remove: (path) =>
    attempt('remove', path, async () => {
      await unlessMissing(() => unlink(path));
    }),

  syncFolder: (path) => attempt('sync folder', path, () => syncFolder(path)),
};

class NodeFile implements StorageFile {
  private readonly path: string;
  private readonly handle: FileHandle;
  private syncFailure: unknown;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  write(bytes: Uint8Array, atByte: number): Promise<void> {
    return attempt('write', this.path, async () => {
      let done = 0;
      while (done < bytes.length) {
        const left = bytes.length - done;
        done += (await this.handle.write(bytes, done, left, atByte + done)).bytesWritten;
      }
    });
  }

  sync(): Promise<void> {
    return attempt('sync', this.path, async () => {
      // After a failure the kernel may call the lost pages clean, and the next sync would succeed.
      if (this.syncFailure !== undefined) throw this.syncFailure;
      try {
        await this.handle.sync();
      } catch (error) {
        this.syncFailure = error;
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return attempt('close', this.path, () => this.handle.close());
  }
}

/** Codes of the operating system that have an error of their own; all else is a failure. */
const errorCodeOf: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'ERR_STORAGE_FULL',
  EDQUOT: 'ERR_STORAGE_FULL',
  EROFS: 'ERR_STORAGE_READ_ONLY',
  EACCES: 'ERR_STORAGE_READ_ONLY',
  EPERM: 'ERR_STORAGE_READ_ONLY',
  ENOENT: 'ERR_STORAGE_MISSING',
};

async function attempt<T>(operation: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const system = systemCodeOf(error);
    throw new MillraceError(
      errorCodeOf[system] ?? 'ERR_STORAGE_FAILED',
      `${operation} ${path}: ${system}`,
      { cause: error },
    );
  }
}

function systemCodeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : String(error);
}

async function unlessMissing<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function sizeFrom(handle: FileHandle, fromByte: number): Promise<number> {
  return Math.max(0, (await handle.stat()).size - fromByte);
}

async function readFully(handle: FileHandle, from: number, bytes: Uint8Array): Promise<Uint8Array> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, from + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/**
 * Network file systems may make the link, lose the answer, repeat the call and then report that
 * the name is taken: whether it is ours is seen by the file behind the name.
 */
async function linkOnce(from: string, to: string): Promise<'linked' | 'taken'> {
  try {
    await link(from, to);
    return 'linked';
  } catch (error) {
    if (await isSameFile(from, to)) return 'linked';
    if (systemCodeOf(error) === 'EEXIST') return 'taken';
    throw error;
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map((path) => unlessMissing(() => lstat(path, { bigint: true }))),
  );
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

async function makeFolderDurably(path: string): Promise<void> {
  await makeFolders(path);
  // Also the parents that were there: whoever made them may have died before syncing them.
  for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) {
    await syncIfAllowed(dirname(folder));
  }
}

/** By hand: Node's own recursion calls a file system that is mounted for reading missing. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const system = systemCodeOf(error);
    if (system === 'ENOENT' && dirname(path) !== path) {
      await makeFolders(dirname(path));
      await makeFolders(path);
    } else if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await unlessMissing(() => stat(path)))?.isDirectory() === true;
}

/** Parents of other owners cannot always be opened; they were not made here. */
async function syncIfAllowed(folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS', 'EINVAL'].includes(systemCodeOf(error))) throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows knows no such call, and keeps names in order by itself.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
