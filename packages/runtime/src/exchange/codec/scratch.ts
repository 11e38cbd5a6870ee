import { runtimeLimits } from '../../limits.js';

const rows = runtimeLimits.frameRowsMax;
const buffer = new ArrayBuffer(rows * 8);

/**
 * Memory that is aligned, as the bytes of a frame are not: a column passes through it on its way.
 * Nothing stays in it beyond one column. Pages that are never used are never there.
 */
export const scratch = {
  u8: new Uint8Array(buffer),
  u16: new Uint16Array(buffer),
  u32: new Uint32Array(buffer),
  int32: new Int32Array(buffer),
} as const;

/** The numbers of a column that comes as an array of values. */
export const scratchNumbers: Float64Array = new Float64Array(rows);

/** Lengths of the strings of a column. */
export const scratchLengths: Uint32Array = new Uint32Array(rows);
