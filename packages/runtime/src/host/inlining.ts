import { setFlagsFromString } from 'node:v8';
import { runtimeLimits } from '../limits.js';

/**
 * Lets V8 take more into a function that it optimizes than it does by itself, in this process: a
 * record loop from the source to the window's row, with the look-up of its key, is longer than V8's
 * 920 bytes of code, and what it leaves out is decided by chance, anew in each process.
 *
 * Functions that are compiled from now on follow it; code runs the same, faster or slower.
 */
export function inlineDeeply(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${runtimeLimits.inlinedBytesMax}`);
}
