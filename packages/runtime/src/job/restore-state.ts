import type { KeyGroupRange } from '@millrace/core/internal';
import type { CheckpointStore } from '@millrace/core/spi';
import type { SnapshotStateBackend } from '@millrace/state';
import { readBlocks, readSegmentIndex, type StateLayout } from '@millrace/state/internal';
import type { Manifest, SegmentRef, StateSummary, TaskPart } from '../checkpoint/manifest.js';
import { inputOf } from '../checkpoint/segment-chain.js';
import {
  type DeclaredState,
  refuseDifferences,
  stateDifferences,
} from '../checkpoint/state-difference.js';
import type { TaskPlan } from '../plan/physical-plan.js';

export interface RestoreStateParts {
  readonly manifest: Manifest;
  readonly store: CheckpointStore;
  readonly backend: SnapshotStateBackend;
  readonly keyGroups: KeyGroupRange;
  /** `new`: the next snapshot takes everything, so that no row may leave memory before it. */
  readonly chain: 'followed' | 'new';
  /** Lets others run now and then. */
  readonly pause: () => Promise<void>;
}

/**
 * Loads the key groups of a task from a checkpoint, whichever tasks had written them. What differs
 * between what is stored and what is declared is to have been refused before, or allowed.
 *
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`
 */
export async function restoreState(parts: RestoreStateParts): Promise<void> {
  const { manifest, backend, keyGroups } = parts;
  const declared = declaredStates(backend);
  const known = new Set(understood(manifest, declared).map(idOf));
  const old = new Set(withOldStamps(manifest.states, declared).map(idOf));
  const hasShared = declared.some(isShared);
  /** Broadcast states of which an earlier task's copy was loaded. */
  const copied = new Set<string>();
  for (const { keyGroups: chainGroups, chain } of manifest.tasks) {
    const { first, last } = chainGroups;
    const isOwn = first <= keyGroups.last && last >= keyGroups.first;
    const copies = new Set<string>();
    for (const segment of chain) {
      if (isOwn) {
        const takes = (layout: StateLayout): boolean =>
          known.has(idOf(layout)) && !isShared(layout);
        await loadSegment(parts, segment, { range: keyGroups, chainGroups, takes, old });
      }
      if (!hasShared) continue;
      const takes = (layout: StateLayout): boolean => {
        const id = idOf(layout);
        if (!known.has(id) || !isShared(layout) || copied.has(id)) return false;
        if (layout.kind === 'broadcast') copies.add(id);
        return true;
      };
      await loadSegment(parts, segment, { range: chainGroups, chainGroups, takes, old });
    }
    for (const id of copies) copied.add(id);
  }
}

/**
 * States whose rows are taken: what a chain still has of a state that was dropped, or was of
 * another kind, does not come back.
 */
function understood(
  { states }: Manifest,
  declared: readonly DeclaredState[],
): readonly DeclaredState[] {
  const differing = new Set(stateDifferences(states, declared).map(idOf));
  return declared.filter((state) => !differing.has(idOf(state)));
}

const idOf = ({ operator, state }: Pick<StateLayout, 'operator' | 'state'>): string =>
  `${operator}\n${state}`;

/** What a task gets whatever its key groups: lists of all tasks, or broadcast state of any one. */
const isShared = ({ kind, shape }: Pick<StateLayout, 'kind' | 'shape'>): boolean =>
  kind === 'broadcast' || (kind === 'operatorList' && shape === 'union');

/** What the operators of a task have declared. */
export function declaredStates(backend: SnapshotStateBackend): readonly DeclaredState[] {
  return backend.states().map(({ layout, migrates, stamps }) => {
    const { operator, state, kind, version, shape } = layout;
    return { operator, state, kind, version, shape, migrates, ...(stamps && { stamps }) };
  });
}

interface LoadScope {
  /** Key groups to load. */
  readonly range: KeyGroupRange;
  /** Key groups of the chain. */
  readonly chainGroups: KeyGroupRange;
  readonly takes: (layout: StateLayout) => boolean;
  /** Ids of states whose stored times mean nothing any more. */
  readonly old: ReadonlySet<string>;
}

async function loadSegment(
  { store, backend, pause, chain }: RestoreStateParts,
  segment: SegmentRef,
  { range, chainGroups, takes, old }: LoadScope,
): Promise<void> {
  const read = inputOf(store, segment);
  const index = await readSegmentIndex(read, segment.bytes);
  for await (const block of readBlocks(index, read, range)) {
    const layout = index.layouts[block.layout]!;
    if (!takes(layout)) continue;
    backend.load(layout, block, { chainGroups, stamps: old.has(idOf(layout)) ? 'old' : 'own' });
    if (chain === 'followed') await backend.relieve?.();
  }
  await pause();
}

/**
 * Refuses state that would be dropped, missed or misunderstood.
 *
 * @param declared what the operators of all tasks have declared
 * @param allowStateChange operators whose stored state may be dropped, or that may begin without
 * @throws MillraceError `ERR_STATE_INCOMPATIBLE`
 */
export function refuseStateChange(
  { states }: Manifest,
  declared: readonly DeclaredState[],
  allowStateChange: readonly string[],
): void {
  refuseDifferences(stateDifferences(states, declared), allowStateChange);
}

/** Operators that have declared state, sorted. */
export const operatorsOf = (
  states: readonly Pick<DeclaredState, 'operator'>[],
): readonly string[] => [...new Set(states.map(({ operator }) => operator))].sort();

/**
 * The chain that a task's snapshots can follow: it is of the same task, and says nothing of
 * operators that are elsewhere now, or of states that are not the same any more. Nor of values of
 * another version, or with other times: manifests say one version of each state, and of what time
 * its entries have theirs, for all of a chain.
 */
export function chainToFollow(
  manifest: Manifest | undefined,
  { id, keyGroups }: Pick<TaskPlan, 'id' | 'keyGroups'>,
  declared: readonly DeclaredState[],
): TaskPart['chain'] | undefined {
  const part = manifest?.tasks.find(({ task }) => task === id);
  if (manifest === undefined || part === undefined) return undefined;
  const operators = operatorsOf(declared);
  const had = part.operators ?? operatorsOf(manifest.states);
  if (had.join('\n') !== operators.join('\n')) return undefined;
  const own = manifest.states.filter(({ operator }) => operators.includes(operator));
  if (stateDifferences(own, declared).length > 0 || isMigrated(own, declared)) return undefined;
  if (withOldStamps(own, declared).length > 0) return undefined;
  const { first, last } = part.keyGroups;
  return first === keyGroups.first && last === keyGroups.last ? part.chain : undefined;
}

/**
 * States whose entries have times to count from that are stored of another time, or of one that
 * they had before they last had none. All of them count anew, as if none were stored.
 */
function withOldStamps(
  stored: readonly StateSummary[],
  declared: readonly DeclaredState[],
): readonly DeclaredState[] {
  const before = new Map(stored.map((state) => [idOf(state), state.stamps]));
  return declared.filter((state) => {
    const { stamps = 'none' } = state;
    const had = before.get(idOf(state));
    return stamps !== 'none' && had !== undefined && had !== stamps;
  });
}

/** Whether values of a state are made into those of another version. */
function isMigrated(stored: readonly StateSummary[], declared: readonly DeclaredState[]): boolean {
  const versions = new Map(stored.map((state) => [idOf(state), state.version]));
  return declared.some((state) => versions.get(idOf(state)) !== state.version);
}
