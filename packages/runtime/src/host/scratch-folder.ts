import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevelStore, type SpillStore } from '@millrace/state';

/** Where one attempt keeps rows that do not fit in memory. */
interface ScratchStore {
  readonly store: SpillStore;
  /** Removes it; called after the store was closed. */
  remove(): Promise<void>;
}

/** Where attempts keep such rows: folders, or memory in simulations. */
export interface Scratch {
  /** @param folder undefined: a new one among the system's temporary files */
  open(folder: string | undefined): ScratchStore;
  /** Removes what attempts that crashed have left in it. */
  remove(folder: string): Promise<void>;
}

/** Each store is a LevelDB in a folder of its own. */
export const scratchFolders: Scratch = {
  open: scratchStore,
  remove: (folder) => rm(folder, { recursive: true, force: true }),
};

function scratchStore(folder: string | undefined): ScratchStore {
  const path = folder ?? mkdtempSync(join(tmpdir(), 'millrace-state-'));
  return {
    store: new ClassicLevelStore(path),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
