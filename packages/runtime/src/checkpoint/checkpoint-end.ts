import { type ErrorCode, MillraceError } from '@millrace/core';
import { runtimeLimits } from '../limits.js';
import { alignmentEndMs } from './checkpoint-begin.js';
import type { Draft } from './coordinator-draft.js';
import {
  type CheckpointInProgress,
  type CheckpointRequest,
  kindOf,
  type Phase,
} from './coordinator-state.js';
import { afterCommit, swept, withLoose, withUnsure } from './retention.js';

/** The job, or the record of it, is not this coordinator's any more; trying again mends nothing. */
const codesOfLoss: readonly ErrorCode[] = ['ERR_CHECKPOINT_SUPERSEDED', 'ERR_METADATA_ROLLBACK'];

type BeforeCommit = Exclude<Phase, { kind: 'idle' | 'copying' }>;

export function complete(
  draft: Draft,
  checkpoint: CheckpointInProgress,
  references: ReadonlySet<string>,
): void {
  const { id, request } = checkpoint;
  const { retention, deletable } = afterCommit(
    draft.state.retention,
    { id, references },
    draft.state.schedule.retained,
  );
  draft.change({
    committed: id,
    reservedId: id + runtimeLimits.checkpointIdsReserved,
    failuresInRow: 0,
    alignmentTimeoutsInRow: 0,
    nextMode: 'aligned',
    retention,
  });
  ended(draft, checkpoint, undefined);
  if (draft.state.tasks !== undefined) draft.effects.push({ kind: 'notify', checkpoint: id });
  if (deletable.length > 0) draft.effects.push({ kind: 'delete', blobs: deletable });
  if (draft.state.alarm === 'raised') draft.effects.push({ kind: 'clear alarm' });
  draft.change({ alarm: 'clear' });

  if (request?.kind === 'savepoint') {
    draft.change({ phase: { kind: 'copying', checkpoint } });
    draft.effects.push({ kind: 'copy savepoint', checkpoint: id, name: request.name });
    return;
  }
  rest(draft, checkpoint);
  answer(draft, checkpoint, undefined);
}

export function rest(draft: Draft, { request }: CheckpointInProgress): void {
  pause(draft);
  const last = request?.kind === 'final' || request?.afterwards === 'stop';
  if (!last) return;
  const { requests } = draft.state;
  draft.change({ life: 'resting', requests: requests.filter(({ kind }) => kind === 'final') });
  for (const each of requests) if (each.kind === 'savepoint') refuseAtRest(draft, each);
}

/** Sources may have closed their channels: a barrier behind that is never answered by all. */
export function refuseAtRest(draft: Draft, { number }: CheckpointRequest): void {
  const error = new MillraceError('ERR_CHECKPOINT_FAILED', 'the job is about to end');
  draft.effects.push({ kind: 'answer', request: number, error });
}

export function failEffect(
  draft: Draft,
  phase: Exclude<Phase, { kind: 'idle' }>,
  error: MillraceError,
): void {
  if (phase.kind !== 'copying') {
    fail(draft, phase, error);
    return;
  }
  // It is committed: only the savepoint's folder is not complete.
  pause(draft);
  answer(draft, phase.checkpoint, error);
}

export function fail(draft: Draft, phase: BeforeCommit, error: MillraceError): void {
  abandon(draft, phase, error);
  const { request } = phase.checkpoint;
  if (codesOfLoss.includes(error.code)) {
    draft.change({ loss: error });
    answer(draft, phase.checkpoint, error);
    draft.effects.push({ kind: 'fail attempt', error });
    return;
  }
  if (error.code.startsWith('ERR_STORAGE_')) raiseAlarm(draft, error);
  else if (request?.kind !== 'savepoint') countFailure(draft, error);
  if (request?.kind !== 'final' || draft.state.tasks === undefined) {
    answer(draft, phase.checkpoint, error);
    return;
  }
  draft.change({
    requests: [request, ...draft.state.requests],
    finalRetryMs: draft.state.pausedUntilMs,
  });
}

/** Gives the checkpoint up, and deletes those of its blobs that no chain builds on. */
export function abandon(draft: Draft, phase: BeforeCommit, error: MillraceError): void {
  ended(draft, phase.checkpoint, error);
  pause(draft);
  if (phase.kind === 'reserving') return;
  if (draft.state.tasks !== undefined) {
    draft.effects.push({ kind: 'abort', checkpoint: phase.checkpoint.id });
  }
  const keep = phase.kind === 'committing' ? withUnsure : withLoose;
  const { retention, deletable } = swept(keep(draft.state.retention, phase.references));
  draft.change({ retention });
  if (deletable.length > 0) draft.effects.push({ kind: 'delete', blobs: deletable });
}

/** Tasks can be told to give up; a store cannot, and what it does may still succeed. */
export function giveUpLate(draft: Draft): void {
  draft.change({ wakeAtMs: undefined });
  const { phase, schedule } = draft.state;
  if (phase.kind === 'idle') return;
  if (draft.nowMs < phase.checkpoint.startedMs + schedule.timeoutMs) {
    if (phase.kind === 'collecting' && draft.nowMs >= alignmentEndMs(draft, phase)) {
      giveUpAligning(draft, phase);
    }
    return;
  }
  const why = `checkpoint ${phase.checkpoint.id} took longer than ${schedule.timeoutMs} ms`;
  if (phase.kind !== 'collecting') {
    raiseAlarm(draft, new MillraceError('ERR_STORAGE_FAILED', `${why}: ${phase.kind}`));
    return;
  }
  fail(draft, phase, new MillraceError('ERR_CHECKPOINT_FAILED', `${why}; ${lateTasks(phase)}`));
}

type Collecting = Extract<Phase, { kind: 'collecting' }>;

function lateTasks({ missing }: Collecting): string {
  const tasks = [...missing].slice(0, 5).join(', ');
  return `${missing.size} tasks have not acknowledged it: ${tasks}`;
}

/**
 * What waits in channels holds barriers up: the next checkpoint's overtake it, where they may. One
 * that is given up for that is no failure; more of them in a row are.
 */
function giveUpAligning(draft: Draft, phase: Collecting): void {
  const { schedule, alignmentTimeoutsInRow: before } = draft.state;
  const { id } = phase.checkpoint;
  const why = `checkpoint ${id} was not aligned within ${schedule.alignmentTimeoutMs} ms`;
  const error = new MillraceError('ERR_CHECKPOINT_FAILED', `${why}; ${lateTasks(phase)}`);
  abandon(draft, phase, error);
  draft.change({ alignmentTimeoutsInRow: before + 1 });
  if (before + 1 >= runtimeLimits.alignmentTimeoutsInRowMax) {
    draft.change({ alignmentTimeoutsInRow: 0 });
    draft.effects.push({ kind: 'fail attempt', error });
    return;
  }
  if (before > 0) countFailure(draft, error);
  if (schedule.unaligned === 'never') return;
  draft.change({ nextMode: 'unaligned', dueMs: draft.nowMs, pausedUntilMs: draft.nowMs });
}

export function answer(
  draft: Draft,
  { request }: CheckpointInProgress,
  error: MillraceError | undefined,
): void {
  if (request === undefined) return;
  const failed = error === undefined ? {} : { error };
  draft.effects.push({ kind: 'answer', request: request.number, ...failed });
}

function countFailure(draft: Draft, error: MillraceError): void {
  const failuresInRow = draft.state.failuresInRow + 1;
  const { toleratedFailures } = draft.state.schedule;
  draft.change({ failuresInRow });
  if (failuresInRow <= toleratedFailures) return;
  draft.change({ failuresInRow: 0 });
  draft.effects.push({ kind: 'fail attempt', error: tooManyFailed(failuresInRow, error) });
}

function tooManyFailed(failuresInRow: number, last: MillraceError): MillraceError {
  // What cannot be written is computed again after a restart, too: the job ends with it instead.
  if (last.code === 'ERR_UNSERIALISABLE_VALUE') return last;
  const detail = `${failuresInRow} in a row, and no more are tolerated; the last one: ${last.detail}`;
  return new MillraceError('ERR_CHECKPOINT_FAILED', detail, {
    operator: last.operator,
    cause: last,
  });
}

function raiseAlarm(draft: Draft, error: MillraceError): void {
  if (draft.state.alarm === 'clear') draft.effects.push({ kind: 'raise alarm', error });
  draft.change({ alarm: 'raised' });
}

function ended(
  draft: Draft,
  checkpoint: CheckpointInProgress,
  error: MillraceError | undefined,
): void {
  const { id, startedMs, mode } = checkpoint;
  const durationMs = draft.nowMs - startedMs;
  const as = kindOf(checkpoint);
  draft.effects.push({ kind: 'ended', checkpoint: id, as, mode, durationMs, error });
}

function pause(draft: Draft): void {
  const pausedUntilMs = draft.nowMs + draft.state.schedule.pauseMs;
  draft.change({ phase: { kind: 'idle' }, pausedUntilMs });
}
