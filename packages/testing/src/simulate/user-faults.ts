import type { FaultName } from '../simulation/fault-kinds.js';
import type { FaultPlan } from '../simulation/fault-plan.js';
import { noFaults } from '../simulation/fault-plan.js';
import type { SeededRandom } from '../simulation/seeded-random.js';

/** Kinds of faults by the names that users know, and what the simulation calls them. */
const kindsOf = {
  /** The process is gone, also in the midst of a write. */
  kill: ['kill', 'killAtStep'],
  /** All processes are gone, and what was not synced. */
  powerCut: ['powerCut'],
  /** The process stands still, and another one may take over. */
  pause: ['pause'],
  slowDisk: ['slowDisk'],
  diskFull: ['diskFull'],
  ioError: ['ioError'],
  /** A function throws once; its attempt is restored in the same process. */
  functionThrows: ['userThrows'],
  /** The job is stopped with a savepoint and started again, with other slots. */
  rescale: ['stopWithSavepoint'],
  savepoint: ['savepoint'],
  /** The wall clock is set. */
  clockJump: ['clockJump'],
} as const satisfies Readonly<Record<string, readonly FaultName[]>>;

/** A kind of fault that {@link simulate} knows. */
export type UserFault = keyof typeof kindsOf;

export const userFaults = Object.keys(kindsOf) as readonly UserFault[];

/** What a user calls a fault of the simulation. */
export function userNameOf(name: string): UserFault | undefined {
  return userFaults.find((fault) => (kindsOf[fault] as readonly string[]).includes(name));
}

/** Faults of a run: which kinds, how often, and until when. */
export interface UserFaultPlan {
  readonly kinds: readonly UserFault[];
  /** Typical time between two of a kind, virtual ms. */
  readonly meanMs: number;
  /** When faults end, virtual ms. */
  readonly endMs: number;
}

export const noUserFaults: UserFaultPlan = { kinds: [], meanMs: 1, endMs: 0 };

/**
 * Some of the kinds for each seed, as in swarm testing: all at once would hide one another.
 *
 * @param lastMs when the last record arrives, virtual ms
 */
export function drawFaults(
  allowed: readonly UserFault[],
  lastMs: number,
  random: SeededRandom,
): UserFaultPlan {
  if (allowed.length === 0) return noUserFaults;
  const first = random.pick(allowed);
  const kinds = allowed.filter((kind) => kind === first || random.fork(kind).chance(0.2));
  const meanMs = random.spread(lastMs / 4, lastMs);
  return { kinds, meanMs, endMs: lastMs * random.spread(0.8, 1.3) };
}

/** The plan as the simulation arms it. */
export function faultPlanOf({ kinds, meanMs, endMs }: UserFaultPlan): FaultPlan {
  if (kinds.length === 0) return noFaults;
  const names = kinds.flatMap((kind): readonly FaultName[] => kindsOf[kind]);
  return { meanMs: Object.fromEntries(names.map((name) => [name, meanMs])), endMs };
}
