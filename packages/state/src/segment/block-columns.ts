import { type BlockColumns, blockRowsMax, type StateLayout } from './block.js';

/** Empty columns with room for a full block of a layout; blobs make room as they come. */
export function newBlockColumns({
  numbers,
  blobs,
}: Pick<StateLayout, 'numbers' | 'blobs'>): BlockColumns {
  return {
    count: 0,
    groups: new Uint16Array(blockRowsMax),
    keys: new Array(blockRowsMax).fill(0),
    numbers: Array.from({ length: numbers }, () => new Float64Array(blockRowsMax)),
    blobs: Array.from({ length: blobs }, () => ({
      bytes: new Uint8Array(0),
      ends: new Uint32Array(blockRowsMax),
    })),
  };
}
