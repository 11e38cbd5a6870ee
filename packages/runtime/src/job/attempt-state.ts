import {
  HeapBackend,
  LevelBackend,
  type SnapshotStateBackend,
  type SpillStore,
  type StateBackendOptions,
} from '@millrace/state';

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
export function levelState(
  options: StateBackendOptions,
  memoryBytesMax: number | undefined,
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
