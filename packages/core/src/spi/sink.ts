import type { RecordBatch } from './element.js';
import type { SourceContext } from './source.js';

/** What a sink promises about its output when a job fails and is restored. */
export type SinkGuarantee = 'exactly-once' | 'effectively-once' | 'at-least-once' | 'at-most-once';

export type SinkContext = SourceContext;

/**
 * Writes one subtask's output.
 *
 * Order of calls: `open`, then `write` and `flush` in any order, one at a time (the next call
 * comes after the promise of the last), `finish` when the input has ended, `close` at the end.
 */
export interface SinkWriter {
  open?(): Promise<void>;
  /**
   * Writes a batch. A returned promise holds the sender back until it resolves. The batch is the
   * engine's again once the call has returned and its promise, if any, has resolved.
   */
  write(batch: RecordBatch): undefined | Promise<void>;
  /** Everything written so far leaves the process' own buffers. */
  flush?(): Promise<void>;
  /** The input has ended: complete the output. */
  finish?(): Promise<void>;
  /** Frees resources, also after a failure; does not complete the output. */
  close?(): Promise<void>;
}

/** A place records go to. */
export interface Sink<T> {
  readonly type: string;
  readonly guarantee: SinkGuarantee;
  /** False (default): the plan refuses streams with updates and deletes. */
  readonly acceptsKinds?: boolean | undefined;
  /** JSON that belongs to the job's fingerprint and to `describe`; no secrets. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  createWriter(context: SinkContext): SinkWriter;
  /** Carries the record type contravariantly; never called. */
  readonly accepts?: (record: T) => void;
}
