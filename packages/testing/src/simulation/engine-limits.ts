import { runtimeLimits } from '@millrace/runtime/internal';
import type { SeededRandom } from './seeded-random.js';

/** Bounds of the engine that a job is run with instead of the usual ones. */
export type EngineLimits = Readonly<Partial<Record<keyof typeof runtimeLimits, number>>>;

/** Each in some jobs: so small that what rarely waits does. */
const shrunken: readonly ((random: SeededRandom) => EngineLimits)[] = [
  // Snapshots are encoded a little at a time, with batches between.
  (random) => ({
    snapshotStepRows: random.pick([1, 3, 16]),
    snapshotPauseMs: random.pick([0, 0.05, 1]),
  }),
  (random) => ({ snapshotBytesInFlightMax: random.pick([1, 1 << 10]) }),
  (random) => ({ channelBatchesMax: 1, channelBatchesBesideMax: random.whole(1, 3) }),
  (random) => ({
    channelBytesMax: random.pick([1, 1 << 10, 1 << 14]),
    frameCreditMin: random.pick([1, 1 << 10]),
  }),
  (random) => ({ overdraftRecordsMax: random.pick([1, 100]) }),
  (random) => ({ recordedBytesMax: random.pick([1, 1 << 10]) }),
  (random) => ({ lingerMs: random.pick([0, 1, 100]) }),
  (random) => ({ gateHoldMs: random.pick([0, 1, 50]) }),
  (random) => ({ turnMs: random.pick([0.01, 0.2, 20]) }),
  (random) => ({ revisionsKept: random.whole(1, 3) }),
];

/** Limits for a job; the usual ones in half of all. */
export function generateLimits(random: SeededRandom): EngineLimits {
  if (random.chance(0.5)) return {};
  const some = shrunken.filter(() => random.chance(0.3));
  return Object.assign({}, ...some.map((limitsOf) => limitsOf(random)));
}

/** Runs something with such limits. They are those of this thread: nothing else runs meanwhile. */
export async function withLimits<T>(limits: EngineLimits, action: () => Promise<T>): Promise<T> {
  const usual = { ...runtimeLimits };
  Object.assign(runtimeLimits, limits);
  try {
    return await action();
  } finally {
    Object.assign(runtimeLimits, usual);
  }
}
