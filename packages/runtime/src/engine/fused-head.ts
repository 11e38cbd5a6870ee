import type { FusedLoop, LoopInput } from '../codegen/loop.js';
import type { PooledBatch } from './batch-pool.js';
import type { ChunkPart } from './chunk-part.js';
import type { LoopMembers } from './loop-members.js';
import type { Places } from './record-places.js';
import type { SourceInput } from './source-input.js';

/** A loop that filters, maps and extracts keys, and ends in the operator. */
export interface FusedHead {
  /** Set where the loop reads a source directly; then the gate has no channels. */
  readonly source: SourceInput | undefined;
  readonly loop: FusedLoop;
  /** The operator itself is the last member. */
  readonly members: LoopMembers;
  readonly setWatermark: (timeMs: number) => void;
}

/** Records for a fused loop: of a source's chunk, or of a batch, which has its event times. */
export type FusedPart = Pick<ChunkPart, 'from' | 'to' | 'latestMs'> & {
  readonly chunk: LoopInput;
  readonly places: Places | undefined;
  readonly split: ChunkPart['split'] | undefined;
};

/** The rest of a batch. */
export const partOf = (batch: PooledBatch, from: number): FusedPart => ({
  chunk: batch,
  places: batch.places,
  from,
  to: batch.count,
  split: undefined,
  latestMs: 0,
});
