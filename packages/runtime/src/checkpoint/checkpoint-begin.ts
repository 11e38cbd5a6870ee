import { runtimeLimits } from '../limits.js';
import type { Draft } from './coordinator-draft.js';
import {
  type CheckpointInProgress,
  type CheckpointRequest,
  kindOf,
  type Phase,
} from './coordinator-state.js';

/** Begins a checkpoint when it is time for one. */
export function begin(draft: Draft): void {
  const { phase, tasks, loss } = draft.state;
  if (phase.kind !== 'idle' || tasks === undefined || loss !== undefined) return;
  const request = draft.state.requests.find((each) => isReady(draft, each));
  if (request === undefined && draft.nowMs < intervalAtMs(draft)) return;

  const { nextId, reservedId, requests, nextMode } = draft.state;
  // What is asked for outlives its parallelism, so it has nothing of channels in it.
  const mode = request === undefined ? nextMode : 'aligned';
  const checkpoint = { id: nextId, request, mode, startedMs: draft.nowMs };
  draft.change({ requests: requests.filter((each) => each !== request) });
  if (request === undefined) {
    draft.change({ dueMs: draft.nowMs + draft.state.schedule.intervalMs });
  }
  if (nextId <= reservedId) {
    trigger(draft, checkpoint);
    return;
  }
  draft.change({ phase: { kind: 'reserving', checkpoint } });
  draft.effects.push({ kind: 'reserve', checkpoint: nextId });
}

/** Asks to be woken when there will be something to decide. */
export function wake(draft: Draft): void {
  const atMs = nextDecisionMs(draft);
  if (atMs === draft.state.wakeAtMs) return;
  draft.change({ wakeAtMs: atMs });
  draft.effects.push({ kind: 'wake at', atMs });
}

export function trigger(draft: Draft, begun: CheckpointInProgress): void {
  const { tasks } = draft.state;
  if (tasks === undefined) {
    draft.change({ phase: { kind: 'idle' } });
    return;
  }
  const isDrained = draft.state.life === 'draining';
  // Also where the input has ended since: its end must not wait in a channel of the checkpoint.
  const mode = isDrained ? 'aligned' : begun.mode;
  const checkpoint = { ...begun, mode };
  const { id } = begun;
  draft.change({
    nextId: id + 1,
    phase: {
      kind: 'collecting',
      checkpoint,
      triggeredMs: draft.nowMs,
      missing: tasks,
      references: new Set(),
    },
  });
  draft.effects.push({ kind: 'trigger', checkpoint: id, as: kindOf(checkpoint), mode, isDrained });
  if (tasks.size === 0) write(draft, checkpoint, new Set());
}

export function write(
  draft: Draft,
  checkpoint: CheckpointInProgress,
  references: ReadonlySet<string>,
): void {
  const as = kindOf(checkpoint);
  draft.change({ phase: { kind: 'writing', checkpoint, references } });
  draft.effects.push({ kind: 'write manifest', checkpoint: checkpoint.id, as });
}

export function commit(
  draft: Draft,
  checkpoint: CheckpointInProgress,
  references: ReadonlySet<string>,
): void {
  const { retention, schedule } = draft.state;
  draft.change({ phase: { kind: 'committing', checkpoint, references } });
  draft.effects.push({
    kind: 'commit',
    checkpoint: checkpoint.id,
    as: kindOf(checkpoint),
    lastId: checkpoint.id + runtimeLimits.checkpointIdsReserved,
    retained: retention.retained.slice(0, schedule.retained - 1).map(({ id }) => id),
  });
}

/** When a checkpoint is given up whose barriers are still on their way; +∞ for one that waits. */
export function alignmentEndMs({ state }: Draft, phase: Phase): number {
  if (phase.kind !== 'collecting' || state.life !== 'running') return Infinity;
  const { mode, request } = phase.checkpoint;
  if (mode === 'unaligned' || request !== undefined) return Infinity;
  return phase.triggeredMs + state.schedule.alignmentTimeoutMs;
}

function isReady(draft: Draft, { kind }: CheckpointRequest): boolean {
  return kind === 'savepoint' || draft.nowMs >= draft.state.finalRetryMs;
}

/** When the interval begins the next one: never while the final one is due. */
function intervalAtMs(draft: Draft): number {
  const { life, requests, dueMs, pausedUntilMs } = draft.state;
  if (life === 'resting' || requests.some(({ kind }) => kind === 'final')) return Infinity;
  return Math.max(dueMs, pausedUntilMs);
}

function nextDecisionMs(draft: Draft): number | undefined {
  const { phase, tasks, loss, requests, schedule, finalRetryMs, alarm } = draft.state;
  if (phase.kind !== 'idle') {
    const late = phase.checkpoint.startedMs + schedule.timeoutMs;
    if (phase.kind === 'collecting') return Math.min(late, alignmentEndMs(draft, phase));
    return alarm === 'clear' ? late : undefined;
  }
  if (tasks === undefined || loss !== undefined) return undefined;
  const atMs = requests.length > 0 ? finalRetryMs : intervalAtMs(draft);
  return atMs === Infinity ? undefined : atMs;
}
