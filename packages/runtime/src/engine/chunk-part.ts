import type { SourceChunk } from '@millrace/core/spi';
import type { ChunkPlaces } from './record-places.js';
import type { SplitTime } from './split-time.js';

/** Records of a chunk that a loop may take now. */
export interface ChunkPart {
  readonly chunk: SourceChunk<unknown>;
  readonly places: ChunkPlaces;
  readonly from: number;
  readonly to: number;
  readonly split: SplitTime;
  /** The latest event time that is believed, epoch ms. */
  readonly latestMs: number;
}
