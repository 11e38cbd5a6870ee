import { MillraceError } from '@millrace/core';
import type { CheckpointStore, Random, Storage } from '@millrace/core/spi';
import { commitRecordName } from './blob-names.js';
import { CommitLog } from './commit-log.js';
import { FolderCheckpointStore } from './folder-checkpoint-store.js';
import { FolderMetaStore } from './folder-meta-store.js';
import type { CommitRecord, Manifest } from './manifest.js';
import { readManifest, withBlobNames } from './manifest-io.js';

/** What reading and writing folders takes. */
export interface FolderWorld {
  readonly storage: Storage;
  readonly random: Random;
}

/** The stores of a job's checkpoint folder. */
export interface CheckpointFolder {
  readonly store: FolderCheckpointStore;
  readonly meta: FolderMetaStore;
  /** Removes what crashed writers left. Only for the owner. */
  clean(): Promise<void>;
}

export function checkpointFolder(world: FolderWorld, folder: string): CheckpointFolder {
  const store = new FolderCheckpointStore({ ...world, folder });
  const meta = new FolderMetaStore({ ...world, folder: `${folder}/commits` });
  return {
    store,
    meta,
    async clean() {
      await store.clean();
      await meta.clean(commitRecordName);
    },
  };
}

/** The commit record of a folder; undefined where no job has used it. */
export function commitRecordOf({ meta }: CheckpointFolder): Promise<CommitRecord | undefined> {
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
 * @throws MillraceError `ERR_CHECKPOINT_MISSING` when the folder is neither
 */
export async function manifestOf(world: FolderWorld, folder: string): Promise<ManifestOrigin> {
  const opened = checkpointFolder(world, folder);
  const { store } = opened;
  if ((await store.size(savepointManifest)) !== undefined) {
    const text = new TextDecoder().decode(await store.read(savepointManifest));
    const manifest = parseManifest(text, folder);
    return { manifest: withBlobNames(manifest, (blob) => blob.split('/').at(-1)!), store };
  }
  const record = await commitRecordOf(opened);
  if (record?.checkpoint === undefined) {
    throw new MillraceError('ERR_CHECKPOINT_MISSING', `nothing to restore from in ${folder}`);
  }
  return { manifest: await readManifest(store, record.checkpoint.manifest), store };
}

const savepointManifest = 'manifest.json';

function parseManifest(text: string, folder: string): Manifest {
  try {
    return JSON.parse(text) as Manifest;
  } catch (cause) {
    const detail = `${folder}/${savepointManifest} is no manifest`;
    throw new MillraceError('ERR_CHECKPOINT_CORRUPT', detail, { cause });
  }
}
