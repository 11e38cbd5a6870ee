import { type ConformanceCase, casesOf } from './conformance-case.js';
import { broadcastCases } from './state-conformance/broadcast-cases.js';
import { operatorStateCases } from './state-conformance/operator-state-cases.js';
import { checkEverySlice, checkHistories } from './state-conformance/state-histories.js';
import { kindCases, undoCases } from './state-conformance/state-kind-cases.js';
import type { CreateBackend } from './state-conformance/state-rig.js';
import { shapeCases } from './state-conformance/state-shape-cases.js';
import { ttlCases } from './state-conformance/state-ttl-cases.js';

export type { CreateBackend };

/**
 * The contract of `SnapshotStateBackend` as cases: every kind of state, undo, time to live,
 * versions, and snapshots of random histories against a naive model.
 *
 * @param create called several times in each case
 * @example
 * const create = (options: StateBackendOptions) => new HeapBackend(options);
 * for (const { name, run } of stateBackendConformance('heap', create)) test(name, run);
 */
export function stateBackendConformance(
  name: string,
  create: CreateBackend,
): readonly ConformanceCase[] {
  return casesOf(name, async () => create, {
    ...kindCases,
    ...undoCases,
    ...shapeCases,
    ...ttlCases,
    ...operatorStateCases,
    ...broadcastCases,
    'rows may change in any way between any two steps of a snapshot': checkEverySlice,
    'any history is restored as it was at the barrier, and goes on alike': (subject) =>
      checkHistories(subject, 400),
  });
}
