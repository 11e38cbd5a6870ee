/**
 * How a trailing window is kept: `slots` slots of `slotMs`. Its edge is as exact as a slot is
 * short.
 */
export interface TrailingWindow {
  readonly slotMs: number;
  readonly slots: number;
}

/**
 * Counts of the newest slots in one short array, since a job keeps many: first the number of the
 * newest slot, then its count, then those of the slots before it. Its length never changes.
 */
export type TrailingCounts = number[];

/** A window in which nothing has happened yet. */
export function emptyCounts(window: TrailingWindow): TrailingCounts {
  return Array.from({ length: 1 + window.slots }, () => 0);
}

/**
 * Adds one to the slot of `atMs` and forgets slots that left the window. `atMs` never goes back.
 */
export function countOne(state: TrailingCounts, window: TrailingWindow, atMs: number): void {
  const newest = Math.floor(atMs / window.slotMs);
  const passed = newest - state[0]!;
  if (passed > 0) {
    for (let index = window.slots; index > 0; index -= 1) {
      state[index] = index <= passed ? 0 : state[index - passed]!;
    }
    state[0] = newest;
  }
  state[1]! += 1;
}

/** The sum over the window that ends at `atMs`. */
export function sumCounts(state: TrailingCounts, window: TrailingWindow, atMs: number): number {
  const inside = window.slots - (Math.floor(atMs / window.slotMs) - state[0]!);
  let sum = 0;
  for (let index = 1; index <= inside; index += 1) sum += state[index]!;
  return sum;
}
