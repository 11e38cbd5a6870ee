import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevelStore, type SpillStore } from '@millrace/state';

/** Where one attempt keeps rows that do not fit in memory. */
export interface ScratchStore {
  readonly store: SpillStore;
  /** Removes it; called after the store was closed. */
  remove(): Promise<void>;
}

/**
 * A LevelDB in a folder of its own: of use to this attempt only.
 *
 * @param folder undefined: a new one among the system's temporary files
 */
export function scratchStore(folder: string | undefined): ScratchStore {
  const path = folder ?? mkdtempSync(join(tmpdir(), 'millrace-state-'));
  return {
    store: new ClassicLevelStore(path),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Removes what attempts that crashed have left. */
export function removeScratch(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
