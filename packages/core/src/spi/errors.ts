import type { Key } from '../keys/key-codec.js';

/**
 * What happens to a record at which an author's function throws.
 *
 * - `fail` (default): the attempt fails and is restored from its last checkpoint.
 * - `skip`: the record is left out and counted in `numRecordsSkipped`.
 * - `retry`: called again at once, `attempts` times in all; then `otherwise` applies.
 * - `deadLetter`: the record goes to the side output `deadLetters`, which must be consumed.
 *
 * Whatever the record had done to state, timers and output before it threw is undone. When more
 * than `ceiling` of an operator's records fail within a minute, the job fails: skipping must not
 * hide a broken deploy. Each subtask counts for itself, and so does the extraction of keys where
 * that is done ahead of an exchange; windows and timers that fail count as records do.
 */
export interface ErrorPolicy {
  readonly action: 'fail' | 'skip' | 'retry' | 'deadLetter';
  /** Calls in all, for `retry`; at least 2. */
  readonly attempts?: number | undefined;
  readonly otherwise?: 'fail' | 'skip' | 'deadLetter' | undefined;
  /** Share of the records of the last minute, 0 … 1. Default 0.1. */
  readonly ceiling?: number | undefined;
  /** The ceiling does not act on fewer records than this. Default 100. */
  readonly ceilingRecordsMin?: number | undefined;
}

/** What authors write: a policy's name or the policy with its settings. */
export type OnError = 'fail' | 'skip' | 'deadLetter' | ErrorPolicy;

/** A record that could not be processed, as it arrives on the side output `deadLetters`. */
export interface DeadLetter<T = unknown> {
  /** The record as the operator received it; absent where it could not even be decoded. */
  readonly record?: T | undefined;
  /** Whose window or timer could not be processed as it fired; absent for records. */
  readonly key?: Key | undefined;
  /** The undecoded input, e.g. the line of a file, where there is one. */
  readonly raw?: string | Uint8Array | undefined;
  /** Split and position in the source, where known: `file.csv@1042`. */
  readonly position?: string | undefined;
  /** Id of the operator or source that refused it. */
  readonly operator: string;
  readonly timestamp: number;
  readonly error: { readonly code: string; readonly message: string };
}
