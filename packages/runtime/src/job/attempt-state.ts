import {
  HeapBackend,
  LevelBackend,
  type SnapshotStateBackend,
  type SpillStore,
  type StateBackendOptions,
} from '@millrace/state';
import type { Scratch } from '../host/scratch-folder.js';

/** The state of one attempt, and what is to be done with it at its start and end. */
export interface AttemptState {
  readonly backend: SnapshotStateBackend;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** State in memory. */
export function heapState(options: StateBackendOptions): AttemptState {
  const nothing = async (): Promise<void> => undefined;
  return { backend: new HeapBackend(options), open: nothing, close: nothing };
}

/** State of which cold rows are outside memory, in a store that the attempt does not leave behind. */
function levelState(
  options: StateBackendOptions,
  memoryBytesMax: number,
  scratch: { readonly store: SpillStore; remove(): Promise<void> },
): AttemptState {
  const backend = new LevelBackend({ ...options, memoryBytesMax, store: scratch.store });
  return {
    backend,
    open: () => backend.open(),
    async close() {
      await backend.close();
      await scratch.remove();
    },
  };
}

/** Where and how a task keeps its state. */
export interface TaskStateOptions {
  readonly backend: 'heap' | 'level';
  /** Memory for rows of the level backend, bytes. */
  readonly memoryBytes: number;
  readonly scratch: Scratch;
  /** The folder of checkpoints; undefined: rows outside memory may be anywhere. */
  readonly folder: string | undefined;
  /** Unique among tasks and attempts. */
  readonly name: string;
}

/** The state of one task. */
export function createTaskState(own: StateBackendOptions, options: TaskStateOptions): AttemptState {
  const { backend, memoryBytes, scratch, folder, name } = options;
  if (backend === 'heap') return heapState(own);
  return levelState(own, memoryBytes, scratch.open(folder && `${folder}/${scratchName}/${name}`));
}

/** In a checkpoint folder: what attempts keep outside memory. */
export const scratchName = 'scratch';
