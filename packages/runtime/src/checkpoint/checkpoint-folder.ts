import { MillraceError } from '@millrace/core';
import type { CheckpointStore, Env } from '@millrace/core/spi';
import { blobFolders } from './blob-names.js';
import { CommitLog } from './commit-log.js';
import { type FolderStores, folderStores } from './folder-stores.js';
import type { CommitRecord, Manifest } from './manifest.js';
import { readManifest, withBlobNames } from './manifest-io.js';
import { asItStood } from './restore-point.js';
import { parseSavepointManifest } from './savepoint-manifest.js';

/** What reading and writing folders takes. */
export type FolderWorld = Pick<Env, 'storage' | 'random'>;

/** The commit record that a start goes on from; undefined where no job has used the folder. */
export async function commitRecordOf({
  meta,
}: Pick<FolderStores, 'meta'>): Promise<CommitRecord | undefined> {
  return asItStood(await new CommitLog(meta).load());
}

/** A manifest, and the store in which its blobs are. */
export interface ManifestOrigin {
  readonly manifest: Manifest;
  readonly store: CheckpointStore;
}

/** A checkpoint or savepoint that a folder says it has. */
export interface PointEntry {
  /** `42`, or the savepoint's name; `commit record` for all checkpoints where that is damaged. */
  readonly name: string;
  /** Epoch ms; undefined for savepoints, which have the time at which they were triggered. */
  readonly committedMs: number | undefined;
  /** @throws MillraceError `ERR_CHECKPOINT_CORRUPT` */
  readonly read: () => Promise<ManifestOrigin>;
}

/**
 * The checkpoints in a job's folder, newest first, then its savepoints; or a savepoint's own. None
 * of them is read yet, so that one that is damaged hides no other; nor does the commit record.
 *
 * @throws MillraceError as {@link manifestOf} when there is none
 */
export async function entriesIn(world: FolderWorld, folder: string): Promise<PointEntry[]> {
  const stores = folderStores(world, folder);
  const { checkpoints: store } = stores;
  const entries = await checkpointsIn(stores);
  for (const path of await store.list(blobFolders.savepoints)) {
    const [, name, file] = path.split('/');
    if (file !== savepointManifest) continue;
    const read = () => manifestOf(world, `${folder}/${blobFolders.savepoints}${name}`);
    entries.push({ name: name!, committedMs: undefined, read });
  }
  if (entries.length > 0) return entries;
  const own = await manifestOf(world, folder);
  return [{ name: 'savepoint', committedMs: undefined, read: async () => own }];
}

async function checkpointsIn(stores: FolderStores): Promise<PointEntry[]> {
  const { checkpoints: store } = stores;
  let record: CommitRecord | undefined;
  try {
    record = await commitRecordOf(stores);
  } catch (why) {
    if (!(why instanceof MillraceError && why.code === 'ERR_CHECKPOINT_CORRUPT')) throw why;
    return [{ name: recordEntry, committedMs: undefined, read: () => Promise.reject(why) }];
  }
  return [record?.checkpoint, ...(record?.retained ?? [])].flatMap((entry) => {
    if (entry === undefined) return [];
    const { id, committedMs, manifest: ref } = entry;
    const read = async () => ({ manifest: await readManifest(store, ref), store });
    return { name: String(id), committedMs, read };
  });
}

/**
 * The manifest of a savepoint's folder, wherever it was moved to, or of a checkpoint or savepoint
 * in a job's folder.
 *
 * @param name a checkpoint's id or a savepoint's name; by default the newest checkpoint
 * @throws MillraceError `ERR_CHECKPOINT_MISSING` when the folder is neither or has none of that
 *   name; `ERR_CHECKPOINT_CORRUPT` when the manifest is not what was written
 */
export async function manifestOf(
  world: FolderWorld,
  folder: string,
  name?: string,
): Promise<ManifestOrigin> {
  if (name !== undefined) return entryOf(await entriesIn(world, folder), folder, name).read();
  const stores = folderStores(world, folder);
  const { checkpoints: store } = stores;
  if ((await store.size(savepointManifest)) !== undefined) {
    const bytes = await store.read(savepointManifest);
    const manifest = parseSavepointManifest(bytes, `${folder}/${savepointManifest}`);
    return { manifest: withBlobNames(manifest, (blob) => blob.split('/').at(-1)!), store };
  }
  const record = await commitRecordOf(stores);
  if (record?.checkpoint === undefined) {
    const detail =
      record === undefined
        ? `${folder} is neither a job's checkpoint folder nor a savepoint's`
        : `the job ${record.job} has used ${folder}, but has committed no checkpoint there yet`;
    throw new MillraceError('ERR_CHECKPOINT_MISSING', detail);
  }
  return { manifest: await readManifest(store, record.checkpoint.manifest), store };
}

/** @throws MillraceError `ERR_CHECKPOINT_MISSING` saying which there are */
export function entryOf(
  entries: readonly PointEntry[],
  folder: string,
  name: string | undefined,
): PointEntry {
  const found = name === undefined ? entries[0] : entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  // Only the record could say whether there is one of that name: reading it tells the damage.
  const record = entries.find((entry) => entry.name === recordEntry);
  if (record !== undefined) return record;
  const names = entries.map((entry) => entry.name).join(', ');
  throw new MillraceError('ERR_CHECKPOINT_MISSING', `${folder} has no ${name}, but ${names}`);
}

const savepointManifest = 'manifest.json';

/** No savepoint can have this name: it has a space. */
const recordEntry = 'commit record';
