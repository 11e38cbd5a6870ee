import type { RecordBatch } from './element.js';
import type { SourceContext } from './source.js';

/** What a sink promises about its output when a job fails and is restored. */
export type SinkGuarantee = 'exactly-once' | 'effectively-once' | 'at-least-once' | 'at-most-once';

/** What a sink's writers had prepared for the checkpoint that a job is restored from. */
export interface SinkRestore {
  readonly checkpoint: number;
  /** What each writer's `prepare` gave for it, in the order of the subtasks then. */
  readonly prepared: readonly unknown[];
}

/** Output in the checkpoint store that is not published yet. */
export interface StagedBlob {
  /** Its name now; one that is adopted from a savepoint gets another one. */
  readonly blob: string;
  readonly bytes: number;
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
}

/** Takes output that nobody is to see yet. */
export interface StagingWriter {
  /** Appends; the bytes are the caller's again once the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes it durable, and reads it back. */
  complete(): Promise<StagedBlob>;
  /** Gives up and frees what was written; does nothing after `complete`. */
  abort(): Promise<void>;
}

/**
 * Keeps unpublished output of one writer in the checkpoint store, for sinks whose destination has
 * no place for it.
 *
 * A blob is kept while it is named in the `staged` list of what `prepare` gave last, or of a
 * checkpoint that is retained; it is checked when the job is restored, copied into savepoints, and
 * deleted when nothing names it any more. Errors are those of `CheckpointStore`.
 */
export interface OutputStaging {
  create(): Promise<StagingWriter>;
  /** Fewer bytes than `length` at the end of the blob. */
  read(staged: StagedBlob, fromByte: number, length: number): Promise<Uint8Array>;
}

/** A stretch of a job's history: a deliberate restore from an older point begins another one. */
export interface SinkLineage {
  readonly id: string;
  /** Where it was forked; undefined for a job's first one. */
  readonly parent: { readonly lineage: string; readonly checkpoint: number } | undefined;
}

export interface SinkContext extends SourceContext {
  /** Name of the job. */
  readonly job: string;
  /** `on`: checkpoints are taken, so `prepare` and `committed` will be called. */
  readonly checkpoints: 'on' | 'off';
  /** Set when the job was restored. */
  readonly restored: SinkRestore | undefined;
  /** Undefined without checkpoints. */
  readonly lineage: SinkLineage | undefined;
  /** `accepted`: whoever started the job said that output may be published again. */
  readonly replay: 'accepted' | 'refused';
  /** Undefined without checkpoints. */
  readonly staging: OutputStaging | undefined;
}

/**
 * Writes one subtask's output.
 *
 * Order of calls: `open`, then `write`, `flush`, `prepare` and `committed` in any order, one at a
 * time (the next call comes after the promise of the last), `finish` when the input has ended
 * (`prepare` and `committed` may still follow), `close` at the end. Only `cancel` may come while a
 * promise is open.
 *
 * With checkpoints an exactly-once writer keeps what it is given where nobody sees it, hands it
 * over in `prepare`, and publishes it in `committed`. After a failure a new writer gets what the
 * last committed checkpoint had prepared as `SinkContext.restored`: its `open` publishes that (it
 * may have been published already, in whole or in part) and throws away everything newer.
 */
export interface SinkWriter {
  open?(): Promise<void>;
  /**
   * Writes a batch. A returned promise holds the sender back until it resolves. The batch is the
   * engine's again once the call has returned and its promise, if any, has resolved.
   *
   * @throws RecordFailure with the index of the record that cannot be written, so that the error
   *   says where it stood in its source; its cause is what the job fails with
   */
  write(batch: RecordBatch): undefined | Promise<void>;
  /** Everything written so far leaves the process' own buffers. */
  flush?(): Promise<void>;
  /**
   * A checkpoint is being taken: everything written since the last call belongs to it. Resolves
   * when that is durable, with what is needed to publish it: JSON, at most a few kilobytes.
   * A checkpoint may be aborted afterwards: what it prepared is then published with the next one
   * that is committed, so `prepare` gives everything that is not published yet.
   *
   * An object with a property `staged: readonly StagedBlob[]` names blobs of the context's
   * `staging` that are still needed. The list is kept in its order, but names in it change when a
   * savepoint is adopted: refer to a blob by its place in the list.
   *
   * Without this method the engine calls `flush` instead, which makes a sink at-least-once.
   */
  prepare?(checkpoint: number): Promise<unknown>;
  /**
   * The checkpoint and all before it are committed: publish what they prepared. Nothing else is
   * called meanwhile, so a slow destination holds back its senders.
   */
  committed?(checkpoint: number): Promise<void>;
  /** The input has ended: complete the output. */
  finish?(): Promise<void>;
  /**
   * The attempt ends, cancelled or failed, ahead of the promise of the last call; `close` follows
   * when that has settled, and nothing else. What waits for a destination that is away is to stop
   * waiting and reject; what goes on may be brought to its end. Called once at most. Without this
   * method a job is not cancelled before the destination is back.
   */
  cancel?(): void;
  /** Frees resources, also after a failure; does not complete the output. */
  close?(): Promise<void>;
}

/** A place records go to. */
export interface Sink<T> {
  readonly type: string;
  readonly guarantee: SinkGuarantee;
  /** Subtasks that there may be at the most; undefined: as many as there are key groups. */
  readonly parallelismMax?: number | undefined;
  /** False (default): the plan refuses streams with updates and deletes. */
  readonly acceptsKinds?: boolean | undefined;
  /** JSON that belongs to the job's fingerprint and to `describe`; no secrets. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  /**
   * The place it writes to, as a text for people, if only one sink of a job can: two with the same
   * text are refused when the job is built. Undefined: others may write there, too.
   */
  readonly destination?: string | undefined;
  createWriter(context: SinkContext): SinkWriter;
  /** Carries the record type contravariantly; never called. */
  readonly accepts?: (record: T) => void;
}
