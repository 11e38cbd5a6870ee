export { HeapBackend } from './heap-backend.js';
export type { SnapshotStateBackend, StateBackendOptions } from './snapshot-state-backend.js';
