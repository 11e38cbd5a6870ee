import type { StateDescriptor } from '@millrace/core/spi';
import { allGroups, type CreateBackend, groupCount, StateRig } from './state-rig.js';

/** Of a backend of which snapshots are taken. */
export const tracked = { tracking: 'tracked', groupCount, groups: allGroups } as const;
export const rigOf = async (create: CreateBackend) => new StateRig(await create(tracked));
const noTime = { recordMs: () => 0, watermarkMs: () => -Infinity, processingMs: () => 0 };

/** Keyed state with one state `s` of a descriptor. */
export async function stateOf<H>(create: CreateBackend, descriptor: StateDescriptor) {
  const backend = await create(tracked);
  const access = backend.keyedState('op', { s: descriptor }, noTime);
  const at = (key: number): H => {
    access.setKey(key);
    return access.handles.s as H;
  };
  return { backend, access, at };
}
