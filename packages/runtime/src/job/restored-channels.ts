import { MillraceError } from '@millrace/core';
import type { CheckpointStore } from '@millrace/core/spi';
import { type ChannelState, readChannelStates } from '../checkpoint/channel-state.js';
import type { Manifest } from '../checkpoint/manifest.js';
import { channelsOf } from '../checkpoint/manifest-io.js';
import type { InputGate } from '../engine/input-gate.js';
import { channelName } from '../plan/channel-id.js';
import type { PhysicalPlan, TaskPlan } from '../plan/physical-plan.js';

export interface RestoreChannelsParts {
  readonly manifest: Manifest;
  readonly store: CheckpointStore;
  readonly plan: Pick<TaskPlan, 'id'>;
  readonly gates: readonly Pick<InputGate, 'restore' | 'names'>[];
}

/** Whether batches waited in any channel: only then does it matter who reads them. */
const hasBatches = ({ tasks }: Manifest): boolean =>
  channelsOf(tasks).some(({ batches }) => batches > 0);

/**
 * Refuses an unaligned checkpoint of which some task's channels would be nobody's.
 *
 * @throws MillraceError `ERR_STATE_INCOMPATIBLE`
 */
export function refuseLostChannels(manifest: Manifest, { tasks }: PhysicalPlan): void {
  if (!hasBatches(manifest)) return;
  const lost = manifest.tasks.find(
    ({ task, channels }) => channels !== undefined && !tasks.some(({ id }) => id === task),
  );
  if (lost !== undefined) throw unfit(manifest, `there is no ${lost.task} any more`);
}

/**
 * Fills the channels that a task reads with what waited in them. Called before anything is sent.
 *
 * @throws MillraceError `ERR_STATE_INCOMPATIBLE`, `ERR_CHECKPOINT_CORRUPT`
 */
export async function restoreChannels(parts: RestoreChannelsParts): Promise<void> {
  const { manifest, store, plan, gates } = parts;
  const ref = manifest.tasks.find(({ task }) => task === plan.id)?.channels;
  if (ref === undefined) return;
  const names = new Set(gates.flatMap((gate) => gate.names()));
  const states = new Map<string, ChannelState>();
  for (const state of readChannelStates(await store.read(ref.blob))) {
    const name = channelName(state.channel);
    if (names.has(name)) states.set(name, state);
    else if (hasBatches(manifest)) throw unfit(manifest, `there is no channel ${name} any more`);
  }
  for (const gate of gates) gate.restore(states);
}

function unfit({ checkpoint }: Manifest, why: string): MillraceError {
  return new MillraceError(
    'ERR_STATE_INCOMPATIBLE',
    `checkpoint ${checkpoint} is unaligned: records waited in channels, and ${why}. Start the ` +
      'job once with the parallelism and edges it had, and take a savepoint or wait for an ' +
      'aligned checkpoint; then change it',
  );
}
