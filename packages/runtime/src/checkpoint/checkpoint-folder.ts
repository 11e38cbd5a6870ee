import { MillraceError } from '@millrace/core';
import type { CheckpointStore, Env } from '@millrace/core/spi';
import { CommitLog } from './commit-log.js';
import { type FolderStores, folderStores } from './folder-stores.js';
import type { CommitRecord, Manifest } from './manifest.js';
import { readManifest, withBlobNames } from './manifest-io.js';
import { parseSavepointManifest } from './savepoint-manifest.js';

/** What reading and writing folders takes. */
export type FolderWorld = Pick<Env, 'storage' | 'random'>;

/** The commit record of a folder; undefined where no job has used it. */
export function commitRecordOf({
  meta,
}: Pick<FolderStores, 'meta'>): Promise<CommitRecord | undefined> {
  return new CommitLog(meta).load();
}

/** A manifest, and the store in which its blobs are. */
export interface ManifestOrigin {
  readonly manifest: Manifest;
  readonly store: CheckpointStore;
}

/**
 * The manifest of a savepoint's folder, wherever it was moved to, or of the newest checkpoint in a
 * job's folder.
 *
 * @throws MillraceError `ERR_CHECKPOINT_MISSING` when the folder is neither;
 *   `ERR_CHECKPOINT_CORRUPT` when the manifest is not what was written
 */
export async function manifestOf(world: FolderWorld, folder: string): Promise<ManifestOrigin> {
  const stores = folderStores(world, folder);
  const { checkpoints: store } = stores;
  if ((await store.size(savepointManifest)) !== undefined) {
    const bytes = await store.read(savepointManifest);
    const manifest = parseSavepointManifest(bytes, `${folder}/${savepointManifest}`);
    return { manifest: withBlobNames(manifest, (blob) => blob.split('/').at(-1)!), store };
  }
  const record = await commitRecordOf(stores);
  if (record?.checkpoint === undefined) {
    throw new MillraceError('ERR_CHECKPOINT_MISSING', `nothing to restore from in ${folder}`);
  }
  return { manifest: await readManifest(store, record.checkpoint.manifest), store };
}

const savepointManifest = 'manifest.json';
