import type { CheckpointStore, SinkContext, SinkRestore } from '@millrace/core/spi';
import type { Lineage, Manifest } from '../checkpoint/manifest.js';
import { StoreOutputStaging } from '../checkpoint/store-output-staging.js';

/** What the checkpoints of an attempt mean to its sinks. */
export interface SinkCheckpointsParts {
  readonly store: CheckpointStore;
  /** A name that no other attempt of any process has. */
  readonly name: string;
  /** What the attempt goes on from; undefined: from nothing. */
  readonly restored: Manifest | undefined;
  readonly lineage: Lineage;
  readonly replay: SinkContext['replay'];
}

/** The part of a sink's context that has to do with checkpoints. */
export type SinkCheckpoints = Pick<
  SinkContext,
  'checkpoints' | 'restored' | 'lineage' | 'replay' | 'staging'
>;

export function sinkCheckpoints(
  { store, name: attempt, restored, lineage, replay }: SinkCheckpointsParts,
  operator: string,
  subtask: number,
): SinkCheckpoints {
  return {
    checkpoints: 'on',
    restored: sinkRestore(restored, operator),
    lineage,
    replay,
    staging: new StoreOutputStaging({ store, attempt, operator, subtask }),
  };
}

export const withoutCheckpoints: SinkCheckpoints = {
  checkpoints: 'off',
  restored: undefined,
  lineage: undefined,
  replay: 'refused',
  staging: undefined,
};

/** What a sink had prepared for a checkpoint; undefined where there is none. */
function sinkRestore(manifest: Manifest | undefined, operator: string): SinkRestore | undefined {
  if (manifest === undefined) return undefined;
  const prepared = manifest.sinks
    .filter((part) => part.operator === operator && part.prepared !== null)
    .map((part) => part.prepared);
  return { checkpoint: manifest.checkpoint, prepared };
}
