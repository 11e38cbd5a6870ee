import type { Env } from '@millrace/core/spi';
import { commitRecordName } from './blob-names.js';
import { FolderCheckpointStore } from './folder-checkpoint-store.js';
import { FolderMetaStore } from './folder-meta-store.js';

/** Both stores of a job in one folder. */
export interface FolderStores {
  readonly checkpoints: FolderCheckpointStore;
  readonly meta: FolderMetaStore;
  /**
   * Removes what crashed writers left; only for the owner of the job.
   *
   * @param assertOwner rejects when there is another one
   */
  readonly clean: (assertOwner: () => Promise<void>) => Promise<void>;
}

/**
 * The stores in a checkpoint folder: `manifests/`, `segments/`, `savepoints/`, `committed/` and,
 * for the meta store, `commits/`. Nothing is written by this.
 */
export function folderStores(
  { storage, random }: Pick<Env, 'storage' | 'random'>,
  folder: string,
): FolderStores {
  const checkpoints = new FolderCheckpointStore({ storage, folder, random });
  const meta = new FolderMetaStore({ storage, folder: `${folder}/commits`, random });
  return {
    checkpoints,
    meta,
    clean: async (assertOwner) => {
      await checkpoints.clean(assertOwner);
      await meta.clean(commitRecordName, assertOwner);
    },
  };
}
