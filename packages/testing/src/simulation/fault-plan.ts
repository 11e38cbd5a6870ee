import type { CheckpointOptions, RunOptions } from '@millrace/runtime';
import { type FaultName, faultKinds, faultNames } from './fault-kinds.js';
import type { JobPlan } from './job-plan.js';
import type { Scene } from './scene.js';
import type { SeededRandom } from './seeded-random.js';

/** Which faults a seed has, and how often. */
export interface FaultPlan {
  /** Typical time between two of a kind, virtual ms. */
  readonly meanMs: Readonly<Partial<Record<FaultName, number>>>;
  /** When faults end, virtual ms. */
  readonly endMs: number;
}

export const noFaults: FaultPlan = { meanMs: {}, endMs: 0 };

/**
 * Some kinds of faults for each seed, as in swarm testing: with all of them at once each would be
 * hidden by the others.
 */
export function generateFaults(plan: JobPlan, random: SeededRandom): FaultPlan {
  const lastMs = lastArrivalMs(plan);
  const chosen = faultNames.filter((name) => random.fork(name).chance(shareOf(name, plan)));
  const meanMs: Partial<Record<FaultName, number>> = {};
  for (const name of chosen) {
    meanMs[name] = random.fork(`${name} often`).spread(lastMs / 12, lastMs);
  }
  return { meanMs, endMs: lastMs * random.spread(0.8, 3) };
}

/** Share of seeds that have a kind of fault. */
const shareOf = (name: FaultName, { lanes, slots }: JobPlan): number => {
  const hasLinks = lanes === 'links' && slots.some((number) => number > 1);
  if (name === 'linkLoss') return hasLinks ? 0.7 : 0;
  if (name === 'stalledLink') return hasLinks ? 0.5 : 0;
  if (name === 'bitFlip') return 0.05;
  return name === 'kill' || name === 'killAtStep' ? 0.5 : 0.3;
};

/** Arranges for the faults of a plan. */
export function armFaults(scene: Scene, { meanMs, endMs }: FaultPlan): void {
  for (const name of faultNames) {
    const mean = meanMs[name];
    if (mean !== undefined) faultKinds[name].arm(scene, scene.world.random.fork(name), mean);
  }
  scene.world.after('faults end', endMs, () => scene.diskFaults.heal());
}

/** How the job is run: limits of all sizes, as far as it can live with them. */
export function generateOptions(random: SeededRandom): RunOptions {
  const intervalMs = Math.round(random.spread(5, 500));
  const timeoutMs = Math.round(random.spread(1_500, 60_000));
  const alignment = alignmentOf(random.fork('alignment'), timeoutMs);
  return {
    checkpoints: {
      folder: '',
      interval: intervalMs,
      minPause: Math.round(random.next() * intervalMs),
      timeout: timeoutMs,
      toleratedFailures: random.whole(0, 5),
      retained: random.whole(1, 4),
      ...alignment,
    },
    ...(random.chance(0.7) && {
      restart: { kind: 'exponential', initial: random.whole(1, 50), max: '1s' },
    }),
  };
}

/** Soon given up, mostly, so that barriers overtake; where they may not, they need their time. */
function alignmentOf(random: SeededRandom, timeoutMs: number): Partial<CheckpointOptions> {
  if (random.chance(0.6)) {
    return { alignmentTimeout: Math.min(timeoutMs, Math.round(random.spread(1, 100))) };
  }
  const isLong = timeoutMs > 15_000;
  return isLong && random.chance(0.5) ? { alignmentTimeout: timeoutMs, unaligned: 'never' } : {};
}

/** When the last record can be read, virtual ms. */
export function lastArrivalMs({ sources }: JobPlan): number {
  const ends = sources.flatMap(({ splits }) =>
    splits.map(({ arrivalsMs }) => arrivalsMs.at(-1) ?? 0),
  );
  return Math.max(1, ...ends);
}
