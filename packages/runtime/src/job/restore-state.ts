import type { KeyGroupRange } from '@millrace/core/internal';
import type { CheckpointStore } from '@millrace/core/spi';
import type { SnapshotStateBackend } from '@millrace/state';
import { readBlocks, readSegmentIndex } from '@millrace/state/internal';
import type { Manifest } from '../checkpoint/manifest.js';
import { inputOf } from '../checkpoint/segment-chain.js';
import {
  type DeclaredState,
  refuseDifferences,
  stateDifferences,
} from '../checkpoint/state-difference.js';

export interface RestoreStateParts {
  readonly manifest: Manifest;
  readonly store: CheckpointStore;
  readonly backend: SnapshotStateBackend;
  readonly keyGroups: KeyGroupRange;
  /** Operators whose stored state may be dropped, or that may begin without. */
  readonly allowStateChange: readonly string[];
  /** Lets others run now and then. */
  readonly pause: () => Promise<void>;
}

/**
 * Loads the key groups of a task from a checkpoint, whichever tasks had written them.
 *
 * @throws MillraceError `ERR_STATE_INCOMPATIBLE` before anything is read; `ERR_CHECKPOINT_CORRUPT`
 */
export async function restoreState(parts: RestoreStateParts): Promise<void> {
  const { manifest, backend, keyGroups, allowStateChange } = parts;
  const declared = declaredStates(backend);
  refuseDifferences(stateDifferences(manifest.states, declared), allowStateChange);
  const known = new Set(declared.map(({ operator, state }) => `${operator}\n${state}`));
  for (const task of manifest.tasks) {
    const { first, last } = task.keyGroups;
    if (first > keyGroups.last || last < keyGroups.first) continue;
    const chainGroups = manifest.tasks.length > 1 ? task.keyGroups : undefined;
    for (const segment of task.chain) await loadSegment(parts, segment, { known, chainGroups });
  }
}

/** What the operators of a task have declared. */
export function declaredStates(backend: SnapshotStateBackend): readonly DeclaredState[] {
  return backend.states().map(({ layout, migrates }) => {
    const { operator, state, kind, version, shape } = layout;
    return { operator, state, kind, version, shape, migrates };
  });
}

interface LoadScope {
  /** States that the job has. */
  readonly known: ReadonlySet<string>;
  /** Key groups of the chain, where there are several. */
  readonly chainGroups: KeyGroupRange | undefined;
}

async function loadSegment(
  { store, backend, keyGroups, pause }: RestoreStateParts,
  segment: Manifest['tasks'][number]['chain'][number],
  { known, chainGroups }: LoadScope,
): Promise<void> {
  const read = inputOf(store, segment);
  const index = await readSegmentIndex(read, segment.bytes);
  for await (const block of readBlocks(index, read, keyGroups)) {
    const layout = index.layouts[block.layout]!;
    if (!known.has(`${layout.operator}\n${layout.state}`)) continue;
    backend.load(layout, block, chainGroups);
    await backend.relieve?.();
  }
  await pause();
}

/** Whether a task's snapshots can follow those of the checkpoint: it is the same task. */
export function chainToFollow(
  manifest: Manifest | undefined,
  task: string,
  keyGroups: KeyGroupRange,
): Manifest['tasks'][number]['chain'] | undefined {
  const [only, ...others] = manifest?.tasks ?? [];
  if (only === undefined || others.length > 0 || only.task !== task) return undefined;
  const { first, last } = only.keyGroups;
  return first === keyGroups.first && last === keyGroups.last ? only.chain : undefined;
}
