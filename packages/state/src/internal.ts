/** For the packages of this repository; may change with any release. */

export type { BlockSink } from './block-builder.js';
export { blobAt } from './block-builder.js';
export type {
  BlobColumn,
  Block,
  BlockColumns,
  BlockKind,
  StateLayout,
} from './segment/block.js';
export { blockRowsMax } from './segment/block.js';
export { newBlockColumns } from './segment/block-columns.js';
export { ChunkBuffers } from './segment/chunk-buffers.js';
export type { MergeInput } from './segment/merge-units.js';
export type { MergePlan } from './segment/plan-merge.js';
export { planMerge } from './segment/plan-merge.js';
export type { SegmentUse } from './segment/prune-chain.js';
export { segmentUses } from './segment/prune-chain.js';
export type { BlockEntry, SegmentIndex } from './segment/segment-footer.js';
export type { ReadBytes } from './segment/segment-format.js';
export type { MergeOptions } from './segment/segment-merge.js';
export { mergeSegments } from './segment/segment-merge.js';
export { readBlocks, readSegmentIndex } from './segment/segment-reader.js';
export { SegmentWriter } from './segment/segment-writer.js';
export type { LayoutCounts } from './segment/verify-segment.js';
export { verifySegment } from './segment/verify-segment.js';
export type { StampTime } from './state-part.js';
