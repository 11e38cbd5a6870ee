import type { Split } from '@millrace/core/spi';
import type { Manifest, SourcePart } from '../checkpoint/manifest.js';
import type { RestoredSource, SourceSnapshot } from '../engine/source-snapshot.js';
import type { SourceTimeSnapshot } from '../engine/source-time.js';

/** What the enumerator of a source had in a checkpoint. */
export function enumeratorState(manifest: Manifest | undefined, source: string): unknown {
  return partsOf(manifest, source)
    .map(snapshotOf)
    .find(({ enumerator }) => enumerator !== undefined)?.enumerator;
}

/** How many splits a source had assigned and not read to their end. */
export const assignedSplits = (manifest: Manifest | undefined, source: string): number =>
  partsOf(manifest, source).reduce((sum, part) => sum + snapshotOf(part).splits.length, 0);

/**
 * What one subtask of a source goes on with: what the subtask of its number had, or with another
 * parallelism its share of all splits.
 */
export function restoredSource(
  manifest: Manifest | undefined,
  source: string,
  { subtask, parallelism }: { readonly subtask: number; readonly parallelism: number },
): RestoredSource | undefined {
  const parts = partsOf(manifest, source);
  if (parts.length === 0) return undefined;
  if (parts.length === parallelism) return snapshotOf(parts[subtask]!);
  const splits = parts
    .flatMap((part) => snapshotOf(part).splits)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .filter((_, index) => index % parallelism === subtask);
  return { splits, time: timeOf(parts, splits) };
}

/** Each split takes its event time along; of the subtasks' watermarks the lowest is safe. */
function timeOf(parts: readonly SourcePart[], splits: readonly Split[]): SourceTimeSnapshot {
  const times = parts.map((part) => snapshotOf(part).time);
  const mark = times.reduce(
    (low, time) => (Number(time.mark) < Number(low) ? time.mark : low),
    times[0]!.mark,
  );
  const all = Object.assign(
    {},
    ...times.map((time) => time.splits),
  ) as SourceTimeSnapshot['splits'];
  const own = splits.flatMap(({ id }) => (all[id] === undefined ? [] : [[id, all[id]] as const]));
  return { mark, splits: Object.fromEntries(own) };
}

function partsOf(manifest: Manifest | undefined, source: string): readonly SourcePart[] {
  const parts = manifest?.sources.filter(({ operator }) => operator === source) ?? [];
  return [...parts].sort((a, b) => a.subtask - b.subtask);
}

const snapshotOf = ({ snapshot }: SourcePart): SourceSnapshot => snapshot as SourceSnapshot;
