import { stateLimits } from '../limits.js';
import type { ReadBytes } from './segment-format.js';

/**
 * Reads more than is asked for and keeps it, for a reader that goes mostly forward in small
 * steps. What it returns must not be changed.
 *
 * @param size bytes of the file
 */
export function readAhead(read: ReadBytes, size: number): ReadBytes {
  let from = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  return async (wanted, length) => {
    if (length >= stateLimits.segmentReadBytesMax) return read(wanted, length);
    if (wanted < from || wanted + length > from + bytes.length) {
      bytes = await read(wanted, Math.min(stateLimits.segmentReadBytesMax, size - wanted));
      from = wanted;
    }
    return bytes.subarray(wanted - from, wanted - from + length);
  };
}
