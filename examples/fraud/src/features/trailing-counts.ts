/**
 * How a trailing window is kept: `slots` slots of `slotMs`. Its edge is as exact as a slot is
 * short.
 */
export interface TrailingWindow {
  readonly slotMs: number;
  readonly slots: number;
}

/**
 * Counts of the newest slots: `counts[i]` belongs to slot `newest - i`. Its length never changes.
 */
export interface TrailingCounts {
  readonly newest: number;
  readonly counts: readonly number[];
}

/** A window in which nothing has happened yet. */
export function emptyCounts(window: TrailingWindow): TrailingCounts {
  return { newest: 0, counts: new Array<number>(window.slots).fill(0) };
}

/**
 * Adds one to the slot of `atMs` and forgets slots that left the window. `atMs` never goes back.
 */
export function countOne(
  state: TrailingCounts,
  window: TrailingWindow,
  atMs: number,
): TrailingCounts {
  const newest = Math.floor(atMs / window.slotMs);
  const passed = newest - state.newest;
  const counts: number[] = [];
  for (let index = 0; index < window.slots; index += 1) {
    counts.push(index < passed ? 0 : state.counts[index - passed]!);
  }
  counts[0]! += 1;
  return { newest, counts };
}

/** The sum over the window that ends at `atMs`. */
export function sumCounts(state: TrailingCounts, window: TrailingWindow, atMs: number): number {
  const passed = Math.floor(atMs / window.slotMs) - state.newest;
  let sum = 0;
  for (let index = 0; index < window.slots - passed; index += 1) sum += state.counts[index]!;
  return sum;
}
