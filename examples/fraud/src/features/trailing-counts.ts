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
  newest: number;
  readonly counts: number[];
}

/** A window in which nothing has happened yet. */
export function emptyCounts(window: TrailingWindow): TrailingCounts {
  return { newest: 0, counts: Array.from({ length: window.slots }, () => 0) };
}

/**
 * Adds one to the slot of `atMs` and forgets slots that left the window. `atMs` never goes back.
 */
export function countOne(state: TrailingCounts, window: TrailingWindow, atMs: number): void {
  const { counts } = state;
  const newest = Math.floor(atMs / window.slotMs);
  const passed = newest - state.newest;
  if (passed > 0) {
    for (let index = window.slots - 1; index >= 0; index -= 1) {
      counts[index] = index < passed ? 0 : counts[index - passed]!;
    }
    state.newest = newest;
  }
  counts[0]! += 1;
}

/** The sum over the window that ends at `atMs`. */
export function sumCounts(state: TrailingCounts, window: TrailingWindow, atMs: number): number {
  const { counts } = state;
  const inside = window.slots - (Math.floor(atMs / window.slotMs) - state.newest);
  let sum = 0;
  for (let index = 0; index < inside; index += 1) sum += counts[index]!;
  return sum;
}
