import type { MillraceError } from '@millrace/core';
import type { CheckpointMode, CheckpointStore, Env, MetaStore } from '@millrace/core/spi';
import type { CheckpointSchedule } from './coordinator-state.js';
import type { CheckpointKind, SegmentRef, StateSummary } from './manifest.js';
import type { RestoreFrom } from './take-over.js';

/** A task as the coordinator sees it. None of these calls may throw. */
export interface CheckpointedTask {
  readonly id: string;
  /** Once for each id, in order. Answered by `acknowledge` or `decline`. */
  trigger(checkpoint: number, kind: CheckpointKind, mode: CheckpointMode): void;
  /** The checkpoint will not be committed, also when it was acknowledged. */
  abort(checkpoint: number): void;
  /** This checkpoint and all before it are committed. May be said again. */
  committed(checkpoint: number): void;
}

export interface CheckpointCoordinatorOptions {
  readonly env: Env;
  readonly job: string;
  readonly checkpoints: CheckpointStore;
  readonly meta: MetaStore;
  readonly schedule: CheckpointSchedule;
  /** What every manifest says of the job. */
  readonly graph: {
    readonly keyGroups: number;
    readonly fingerprint: string;
    /** Of the attempt that runs. */
    readonly states: () => readonly StateSummary[];
  };
  /** The attempt must fail: too many checkpoints did, or another coordinator has taken over. */
  readonly onFailure: (error: MillraceError) => void;
  /** Storage does not take checkpoints; the job goes on. Undefined when it does again. */
  readonly onAlarm?: ((error: MillraceError | undefined) => void) | undefined;
  /** Default: the whole file by size and checksum. Rejects with `ERR_CHECKPOINT_CORRUPT`. */
  readonly verifyBlob?: ((ref: SegmentRef) => Promise<void>) | undefined;
  /** Removes what crashed writers left in the stores; called once the job is taken over. */
  readonly clean?: ((assertOwner: () => Promise<void>) => Promise<void>) | undefined;
}

export interface OpenOptions {
  readonly from?: RestoreFrom | undefined;
  /** Output published since `from` may be published again. */
  readonly acceptReplay?: boolean | undefined;
  /** Largest checkpoint id known elsewhere, e.g. to the fences of sinks. */
  readonly largestId?: number | undefined;
}
