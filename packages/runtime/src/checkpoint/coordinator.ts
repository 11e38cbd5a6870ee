import { MillraceError } from '@millrace/core';
import { runtimeLimits } from '../limits.js';
import { begin, commit, trigger, wake, write } from './checkpoint-begin.js';
import {
  abandon,
  answer,
  complete,
  fail,
  failEffect,
  giveUpLate,
  refuseAtRest,
  rest,
} from './checkpoint-end.js';
import { Draft } from './coordinator-draft.js';
import type {
  CheckpointRequest,
  CheckpointSchedule,
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
} from './coordinator-state.js';
import { type RetainedCheckpoint, withChain, withLoose, withoutChains } from './retention.js';

export type Step = readonly [CoordinatorState, readonly CoordinatorEffect[]];

/**
 * The checkpoint coordinator's decisions; it does nothing itself. Effects are carried out in
 * order, and what became of `reserve`, `write manifest`, `commit` and `copy savepoint` comes back
 * as an event.
 *
 * Laws: one checkpoint is in progress at a time. It is committed only when every task has
 * acknowledged its id. Tasks are notified only of what is committed. No id is triggered twice.
 * Nothing is deleted that a retained checkpoint, the one in progress or a task's chain needs.
 */
export function step(state: CoordinatorState, event: CoordinatorEvent): Step {
  const draft = new Draft(state, event.nowMs);
  take(draft, event);
  begin(draft);
  wake(draft);
  return [draft.state, draft.effects];
}

/** How checkpoints are taken unless a job says otherwise. */
export const defaultSchedule: CheckpointSchedule = {
  intervalMs: runtimeLimits.checkpointIntervalMsDefault,
  pauseMs: runtimeLimits.checkpointPauseMsDefault,
  timeoutMs: runtimeLimits.checkpointTimeoutMsDefault,
  alignmentTimeoutMs: runtimeLimits.alignmentTimeoutMsDefault,
  unaligned: 'allowed',
  toleratedFailures: runtimeLimits.toleratedFailuresDefault,
  retained: runtimeLimits.retainedCheckpointsDefault,
};

/** A coordinator before its first attempt. */
export function initialState(
  schedule: CheckpointSchedule,
  restored: {
    readonly committed: number | undefined;
    /** Largest id of the commit record; those above are free. */
    readonly lastId: number;
    /** Ids that are reserved from there on. */
    readonly reserved: number;
    readonly retained: readonly RetainedCheckpoint[];
  },
): CoordinatorState {
  return {
    schedule,
    phase: { kind: 'idle' },
    tasks: undefined,
    life: 'running',
    requests: [],
    nextId: restored.lastId + 1,
    reservedId: restored.lastId + restored.reserved,
    committed: restored.committed,
    dueMs: 0,
    pausedUntilMs: 0,
    finalRetryMs: 0,
    failuresInRow: 0,
    alignmentTimeoutsInRow: 0,
    nextMode: 'aligned',
    alarm: 'clear',
    loss: undefined,
    retention: {
      retained: restored.retained,
      chains: new Map(),
      loose: new Set(),
      unsure: new Set(),
    },
    wakeAtMs: undefined,
  };
}

function take(draft: Draft, event: CoordinatorEvent): void {
  switch (event.kind) {
    case 'attempt started':
      startAttempt(draft, event.tasks, event.life);
      return;
    case 'attempt ended':
      endAttempt(draft);
      return;
    case 'woken':
      giveUpLate(draft);
      return;
    case 'requested':
      request(draft, event.request);
      return;
    case 'hurried':
      hurry(draft);
      return;
    case 'drained':
      if (draft.state.life === 'running') draft.change({ life: 'draining' });
      return;
    case 'acknowledged':
      acknowledge(draft, event.task, event.checkpoint, event.references);
      return;
    case 'declined':
      decline(draft, event.task, event.checkpoint, event.error);
      return;
    default:
      goOn(draft, event);
      return;
  }
}

function startAttempt(draft: Draft, tasks: readonly string[], life: 'running' | 'draining'): void {
  if (draft.state.tasks !== undefined || draft.state.phase.kind !== 'idle') {
    throw new MillraceError('ERR_INVARIANT', 'an attempt starts before the last one has ended');
  }
  draft.change({
    tasks: new Set(tasks),
    life,
    dueMs: draft.nowMs,
    pausedUntilMs: 0,
    finalRetryMs: 0,
    failuresInRow: 0,
    alignmentTimeoutsInRow: 0,
    nextMode: 'aligned',
    retention: withoutChains(draft.state.retention),
  });
  // Whoever was told before may have died before it acted on it.
  const { committed, loss } = draft.state;
  if (committed !== undefined) draft.effects.push({ kind: 'notify', checkpoint: committed });
  // It may have come to light as the last attempt had failed for another reason.
  if (loss !== undefined) draft.effects.push({ kind: 'fail attempt', error: loss });
}

export const attemptEnded = (): MillraceError =>
  new MillraceError('ERR_CHECKPOINT_FAILED', 'the attempt ended meanwhile');

/** What all tasks have acknowledged is complete, and goes on without them. */
function endAttempt(draft: Draft): void {
  const error = attemptEnded();
  const { phase, requests } = draft.state;
  draft.change({ tasks: undefined, requests: [] });
  for (const { number } of requests) {
    draft.effects.push({ kind: 'answer', request: number, error });
  }
  if (phase.kind === 'reserving' || phase.kind === 'collecting') {
    abandon(draft, phase, error);
    answer(draft, phase.checkpoint, error);
  }
}

function request(draft: Draft, request: CheckpointRequest): void {
  if (draft.state.tasks === undefined || draft.state.loss !== undefined) {
    const detail = 'the job is at its start, between two attempts, or at its end';
    const error = new MillraceError('ERR_CHECKPOINT_FAILED', detail);
    draft.effects.push({ kind: 'answer', request: request.number, error });
    return;
  }
  if (draft.state.life === 'resting' && request.kind === 'savepoint') {
    refuseAtRest(draft, request);
    return;
  }
  draft.change({ requests: [...draft.state.requests, request] });
}

/** The one in progress may be what is waited for. */
function hurry(draft: Draft): void {
  const { phase, dueMs } = draft.state;
  if (phase.kind === 'idle') draft.change({ dueMs: Math.min(dueMs, draft.nowMs) });
}

function acknowledge(draft: Draft, task: string, id: number, blobs: readonly string[]): void {
  const { phase, retention, tasks, nextId } = draft.state;
  if (id >= nextId) {
    draft.effects.push({ kind: 'refuse', task, checkpoint: id });
    return;
  }
  if (tasks?.has(task) === true) {
    draft.change({ retention: withChain(retention, task, id, blobs) });
  }
  if (phase.kind !== 'collecting' || phase.checkpoint.id !== id || !phase.missing.has(task)) {
    draft.change({ retention: withLoose(draft.state.retention, blobs) });
    draft.effects.push({ kind: 'refuse', task, checkpoint: id });
    return;
  }
  const missing = new Set(phase.missing);
  missing.delete(task);
  const references = new Set([...phase.references, ...blobs]);
  draft.change({ phase: { ...phase, missing, references } });
  if (missing.size === 0) write(draft, phase.checkpoint, references);
}

function decline(draft: Draft, task: string, id: number, error: MillraceError): void {
  const { phase } = draft.state;
  if (phase.kind === 'collecting' && phase.checkpoint.id === id && phase.missing.has(task)) {
    fail(draft, phase, error);
    return;
  }
  draft.effects.push({ kind: 'refuse', task, checkpoint: id });
}

/** What became of an effect of the checkpoint in progress; of another one it says nothing. */
function goOn(
  draft: Draft,
  event: Extract<
    CoordinatorEvent,
    { kind: 'reserved' | 'manifest written' | 'committed' | 'copied' | 'failed' }
  >,
): void {
  const { phase } = draft.state;
  if (phase.kind === 'idle' || phase.checkpoint.id !== event.checkpoint) return;
  if (event.kind === 'failed') {
    failEffect(draft, phase, event.error);
    return;
  }
  if (event.kind === 'reserved' && phase.kind === 'reserving') {
    draft.change({ reservedId: event.checkpoint });
    trigger(draft, phase.checkpoint);
    return;
  }
  if (event.kind === 'manifest written' && phase.kind === 'writing') {
    commit(draft, phase.checkpoint, new Set([...phase.references, event.blob]));
    return;
  }
  if (event.kind === 'committed' && phase.kind === 'committing') {
    complete(draft, phase.checkpoint, phase.references);
    return;
  }
  if (event.kind === 'copied' && phase.kind === 'copying') {
    rest(draft, phase.checkpoint);
    answer(draft, phase.checkpoint, undefined);
  }
}
