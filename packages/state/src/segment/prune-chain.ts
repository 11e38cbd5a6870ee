import type { SegmentIndex } from './segment-footer.js';
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
  const older = chain.map((index) => new Set(index.blocks.map((_, at) => unitOf(index, at))));
  for (let at = chain.length - 1; at >= 0; at -= 1) {
    const index = chain[at]!;
    uses.unshift(useOf(index, droppedLater, older.slice(0, at)));
    for (const [i, { kind }] of index.blocks.entries()) {
      if (kind === 'drop') droppedLater.add(unitOf(index, i));
    }
  }
  return uses;
}

function useOf(
  index: SegmentIndex,
  droppedLater: ReadonlySet<string>,
  older: readonly ReadonlySet<string>[],
): SegmentUse {
  let liveBytes = 0;
  let hides = false;
  // Blocks ahead of a drop in the segment itself do not count either.
  const droppedHere = new Set<string>();
  for (let i = index.blocks.length - 1; i >= 0; i -= 1) {
    const { kind, length } = index.blocks[i]!;
    const unit = unitOf(index, i);
    if (droppedLater.has(unit) || droppedHere.has(unit)) continue;
    if (kind === 'drop') {
      droppedHere.add(unit);
      hides ||= older.some((units) => units.has(unit));
    } else liveBytes += length + frameBytes;
  }
  return { liveBytes, isObsolete: liveBytes === 0 && !hides };
}

function unitOf({ blocks, layouts }: SegmentIndex, at: number): string {
  const { layout, namespace } = blocks[at]!;
  const { operator, state } = layouts[layout]!;
  return `${operator}\n${state}\n${namespace.join()}`;
}
