import type { Duration } from '@millrace/core';

/** Where a job's state is between its checkpoints: in memory, or in a database on disk. */
export const backends = ['heap', 'level'] as const;
export type Backend = (typeof backends)[number];

/** How a run outlives its process. */
export interface Durability {
  /** Of its checkpoints. */
  readonly folder: string;
  readonly interval: Duration | undefined;
}
