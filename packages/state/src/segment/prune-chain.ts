import type { BlockEntry, SegmentIndex } from './segment-footer.js';
import { frameBytes } from './segment-format.js';

/** How much of a segment still counts, given the segments behind it. */
export interface SegmentUse {
  /** Bytes of blocks that no later drop hides. */
  readonly liveBytes: number;
  /** The chain says the same without the segment. */
  readonly isObsolete: boolean;
}

/**
 * What of each segment of a chain still counts: a table that was written whole hides all that was
 * written of it before. Only indexes are looked at.
 *
 * @param chain oldest first
 */
export function segmentUses(chain: readonly SegmentIndex[]): readonly SegmentUse[] {
  const droppedLater = new Set<string>();
  const uses: SegmentUse[] = [];
  const runs = chain.map(runsOf);
  const older = runs.map((segment) => new Set(segment.map(({ unit }) => unit)));
  for (let at = chain.length - 1; at >= 0; at -= 1) {
    uses.unshift(useOf(runs[at]!, droppedLater, older.slice(0, at)));
    for (const { isDrop, unit } of runs[at]!) if (isDrop) droppedLater.add(unit);
  }
  return uses;
}

/** Blocks of one table next to each other, either drops or none; a large table has thousands. */
interface Run {
  /** The table: operator, state and namespace. */
  readonly unit: string;
  readonly isDrop: boolean;
  /** With their frames. */
  bytes: number;
}

/** Indexes do not change, and those of a chain are asked for again at every checkpoint. */
const runsKnown = new WeakMap<SegmentIndex, readonly Run[]>();

function runsOf(index: SegmentIndex): readonly Run[] {
  const known = runsKnown.get(index);
  if (known !== undefined) return known;
  const runs = findRuns(index);
  runsKnown.set(index, runs);
  return runs;
}

function findRuns({ blocks, layouts }: SegmentIndex): readonly Run[] {
  const runs: Run[] = [];
  let last: BlockEntry | undefined;
  for (const block of blocks) {
    const isDrop = block.kind === 'drop';
    const bytes = block.length + frameBytes;
    const run = runs.at(-1);
    // Blocks of one table share their namespace's array; where they do not, it is another run.
    const isSame = last?.layout === block.layout && last.namespace === block.namespace;
    if (run !== undefined && isSame && run.isDrop === isDrop) run.bytes += bytes;
    else runs.push({ unit: unitOf(block, layouts), isDrop, bytes });
    last = block;
  }
  return runs;
}

function useOf(
  runs: readonly Run[],
  droppedLater: ReadonlySet<string>,
  older: readonly ReadonlySet<string>[],
): SegmentUse {
  let liveBytes = 0;
  let hides = false;
  // Blocks ahead of a drop in the segment itself do not count either.
  const droppedHere = new Set<string>();
  for (let i = runs.length - 1; i >= 0; i -= 1) {
    const { unit, isDrop, bytes } = runs[i]!;
    if (droppedLater.has(unit) || droppedHere.has(unit)) continue;
    if (isDrop) {
      droppedHere.add(unit);
      hides ||= older.some((units) => units.has(unit));
    } else liveBytes += bytes;
  }
  return { liveBytes, isObsolete: liveBytes === 0 && !hides };
}

function unitOf({ layout, namespace }: BlockEntry, layouts: SegmentIndex['layouts']): string {
  const { operator, state } = layouts[layout]!;
  return `${operator}\n${state}\n${namespace.join()}`;
}
