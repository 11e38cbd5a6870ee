import type { StampTime } from '@millrace/state/internal';

/** A segment file of a chain: state that changed, as blocks. */
export interface SegmentRef {
  /** Name in the checkpoint store. */
  readonly blob: string;
  readonly bytes: number;
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
}

/** Where a job's history was forked: a deliberate restore from an older point begins a new one. */
export interface Lineage {
  readonly id: string;
  /** Undefined for a job's first lineage. */
  readonly parent: { readonly lineage: string; readonly checkpoint: number } | undefined;
}

/** One run of the job between two restores. The random part tells apart who only counts alike. */
export interface AttemptId {
  readonly number: number;
  /** 64 random bits in hexadecimal. */
  readonly random: string;
}

/** What waited in the channels that a task reads, in an unaligned checkpoint. */
export interface ChannelsRef extends SegmentRef {
  /** Batches in it; without any, the checkpoint is as good as an aligned one. */
  readonly batches: number;
}

/** The keyed and operator state of one subtask. */
export interface TaskPart {
  readonly task: string;
  /** Both ends included. */
  readonly keyGroups: { readonly first: number; readonly last: number };
  /** Those of the task that have state; undefined: all of the job. */
  readonly operators?: readonly string[] | undefined;
  /** Applied in this order. */
  readonly chain: readonly SegmentRef[];
  /** Undefined: the checkpoint is aligned, or the task reads no channel. */
  readonly channels?: ChannelsRef | undefined;
}

/** JSON of the parts that are small: positions of sources, what sinks prepared. */
export interface SourcePart {
  readonly operator: string;
  readonly subtask: number;
  readonly snapshot: unknown;
}

export interface SinkPart {
  readonly operator: string;
  readonly subtask: number;
  readonly prepared: unknown;
}

/** What one task contributes to a checkpoint. */
export interface TaskSnapshot {
  readonly part: TaskPart;
  readonly sources: readonly SourcePart[];
  readonly sinks: readonly SinkPart[];
  /** How long barriers held up the task, ms; in no manifest. */
  readonly syncMs: number;
  /** From the trigger until the barrier had been everywhere in the task, ms; in no manifest. */
  readonly alignmentMs: number;
}

/** A state as an operator declared it, for the check ahead of a restore. */
export interface StateSummary {
  readonly operator: string;
  readonly state: string;
  readonly kind: string;
  readonly version: number;
  readonly shape: string;
  /**
   * What times its entries have, to count their time to live from. Undefined: they never have any,
   * or nobody asked yet when the manifest was written.
   */
  readonly stamps?: StampTime | undefined;
}

/** `final`: the input has ended, and this is the job's last checkpoint. */
export type CheckpointKind = 'checkpoint' | 'savepoint' | 'final';

/** Everything a job needs to go on from a checkpoint. Stored as canonical JSON. */
export interface Manifest {
  readonly format: 1;
  readonly job: string;
  readonly checkpoint: number;
  readonly kind: CheckpointKind;
  readonly attempt: AttemptId;
  readonly lineage: Lineage;
  /** When it was triggered, epoch ms. */
  readonly triggeredMs: number;
  /** Number of key groups of the job. */
  readonly keyGroups: number;
  /** Input was ended for it: all windows have fired, so what would be read behind it is late. */
  readonly drained?: true | undefined;
  /** Of the logical graph that took it. */
  readonly fingerprint: string;
  readonly states: readonly StateSummary[];
  readonly tasks: readonly TaskPart[];
  readonly sources: readonly SourcePart[];
  readonly sinks: readonly SinkPart[];
}

/** The meta store's record `commit`: what it says is the truth about a job. */
export interface CommitRecord {
  readonly format: 1;
  readonly job: string;
  /** Grows by one with each coordinator that takes over. */
  readonly epoch: number;
  readonly attempt: AttemptId;
  readonly lineage: Lineage;
  /** Undefined until the first commit. */
  readonly checkpoint: CommittedCheckpoint | undefined;
  /** Older checkpoints that are kept, newest first. */
  readonly retained: readonly CommittedCheckpoint[];
  /** Largest checkpoint id that may have been used, so that none is used twice. */
  readonly lastId: number;
  /** Where the job stood ahead of a deliberate restore, until that has opened all its sinks. */
  readonly left?: Pick<CommitRecord, 'lineage' | 'checkpoint' | 'retained'> | undefined;
}

export interface CommittedCheckpoint {
  readonly id: number;
  readonly kind: CheckpointKind;
  readonly manifest: SegmentRef;
  /** Epoch ms. */
  readonly committedMs: number;
  /** `prepared`: sinks may have published for it, so nobody goes back behind it unasked. */
  readonly output: 'none' | 'prepared';
}
