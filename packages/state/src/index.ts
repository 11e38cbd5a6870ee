export { HeapBackend } from './heap-backend.js';
export { ClassicLevelStore } from './level/classic-level-store.js';
export type { LevelBackendOptions, SpillCounts } from './level/level-backend.js';
export { LevelBackend } from './level/level-backend.js';
export type { MemorySpillStoreOptions } from './level/memory-spill-store.js';
export { MemorySpillStore } from './level/memory-spill-store.js';
export type { SpillEntry, SpillOperation, SpillRange, SpillStore } from './level/spill-store.js';
export type { SnapshotStateBackend, StateBackendOptions } from './snapshot-state-backend.js';
