import type { BlockKind, StateLayout } from './block.js';
import type { ReadBytes } from './segment-format.js';
import { readBlocks, readSegmentIndex } from './segment-reader.js';

/** What a segment holds of one layout. */
export interface LayoutCounts {
  readonly layout: StateLayout;
  readonly blocks: Readonly<Record<BlockKind, number>>;
  readonly rows: Readonly<Record<BlockKind, number>>;
}

/**
 * Reads all of a segment, checks all of it, and counts.
 *
 * @param size bytes of the file
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`, saying what is damaged; what `read` throws
 */
export async function verifySegment(
  read: ReadBytes,
  size: number,
): Promise<readonly LayoutCounts[]> {
  const index = await readSegmentIndex(read, size);
  const counts = index.layouts.map((layout) => ({ layout, blocks: none(), rows: none() }));
  for await (const block of readBlocks(index, read, { first: 0, last: 0xffff })) {
    const { blocks, rows } = counts[block.layout]!;
    blocks[block.kind] += 1;
    rows[block.kind] += block.columns.count;
  }
  return counts;
}

function none(): Record<BlockKind, number> {
  return { rows: 0, removals: 0, keyRemovals: 0, drop: 0 };
}
