import { MillraceError } from '@millrace/core';
import type { CommitMark } from './blob-names.js';
import type { CommitRecord, CommittedCheckpoint, Lineage, Manifest } from './manifest.js';

/** Where a job goes on. */
export interface RestorePoint {
  readonly manifest: Manifest;
  readonly record: CommitRecord;
  /** The job has read all its input, and everything is committed. */
  readonly finished: boolean;
}

/**
 * The record as it was ahead of a deliberate restore that has not opened its sinks: one of them may
 * have refused, or the process was killed. Nothing new was published then, so whoever starts the job
 * without asking for that restore goes on from where it stood; ids and epochs go on behind both. A
 * sink that has taken the restored history's side by then refuses the other one.
 */
export function asItStood(record: CommitRecord | undefined): CommitRecord | undefined {
  if (record?.left === undefined) return record;
  const { left, ...stamped } = record;
  return { ...stamped, ...left };
}

/**
 * Compares the commit record with the newest mark that a commit left.
 *
 * @throws MillraceError `ERR_METADATA_ROLLBACK` when something newer was committed once
 */
export function assertNotRolledBack(
  record: CommitRecord | undefined,
  newest: CommitMark | undefined,
): void {
  if (newest === undefined) return;
  const epoch = record?.epoch ?? 0;
  const checkpoint = record?.checkpoint?.id ?? 0;
  const isOlder =
    epoch < newest.epoch || (epoch === newest.epoch && checkpoint < newest.checkpoint);
  if (!isOlder) return;
  const committed = `checkpoint ${newest.checkpoint} was committed in epoch ${newest.epoch}`;
  const found =
    record === undefined ? 'there is no record' : `the record has ${checkpoint} in epoch ${epoch}`;
  throw new MillraceError('ERR_METADATA_ROLLBACK', `${committed}, but ${found}`);
}

/**
 * Whether an older checkpoint may be taken in place of a damaged one.
 *
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT` when that would publish output again
 */
export function assertMayGoBehind(
  damaged: CommittedCheckpoint,
  older: CommittedCheckpoint | undefined,
  why: MillraceError,
): void {
  const what = `checkpoint ${damaged.id} cannot be read (${why.detail})`;
  if (older === undefined) {
    throw new MillraceError(
      'ERR_CHECKPOINT_CORRUPT',
      `${what}, and there is no older one: put back its files, or restore a savepoint with --from`,
      { cause: why },
    );
  }
  if (damaged.output === 'none') return;
  throw new MillraceError(
    'ERR_CHECKPOINT_CORRUPT',
    `${what}, and its output may be published: put back its files, or publish that output again ` +
      `by restoring checkpoint ${older.id} with --from this folder, --at ${older.id} and ` +
      '--accept-replay',
    { cause: why },
  );
}

/**
 * A job that was drained ends, and its own folder says so; begun anew it would only drop records.
 *
 * @throws MillraceError `ERR_INVALID_OPTION`
 */
export function assertMayBeginWith({ drained, kind, checkpoint }: Manifest): void {
  if (drained !== true || kind === 'final') return;
  throw new MillraceError(
    'ERR_INVALID_OPTION',
    `checkpoint ${checkpoint} was taken as the input was drained: all windows have fired, and what ` +
      "comes behind it would be late. Begin with one ahead of it, or stop with 'suspend'",
    { field: 'from' },
  );
}

/**
 * The lineage of a job that is deliberately restored from a point.
 *
 * @throws MillraceError `ERR_REPLAY_NOT_ACCEPTED` when that goes back behind what is committed
 */
export function lineageFrom(
  from: Manifest,
  record: CommitRecord | undefined,
  options: { readonly newId: string; readonly acceptReplay: boolean },
): Lineage {
  const committed = record?.checkpoint;
  const isSameLineage = record?.lineage.id === from.lineage.id;
  if (isSameLineage && committed?.id === from.checkpoint) return record.lineage;
  if (committed !== undefined && !options.acceptReplay) {
    const again = isSameLineage
      ? `output of the checkpoints after ${from.checkpoint}, to ${committed.id}, was published ` +
        'and would be once more'
      : `the folder has committed checkpoint ${committed.id} of another history ` +
        `(${record?.lineage.id}); what it published may be published once more`;
    throw new MillraceError('ERR_REPLAY_NOT_ACCEPTED', again);
  }
  const parent = { lineage: from.lineage.id, checkpoint: from.checkpoint };
  return { id: options.newId, parent };
}
