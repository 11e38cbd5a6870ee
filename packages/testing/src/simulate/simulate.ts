import type { JobDefinition, JobParams } from '@millrace/core';
import { SeededRandom } from '../simulation/seeded-random.js';
import { inTurn } from './ambient-time.js';
import { hints, reasonOf } from './explain.js';
import { failureText } from './failure-text.js';
import { lastArrivalOf, planArrivals } from './input-plan.js';
import { minimiseCase } from './minimise-case.js';
import { type Finding, Observer, ReferenceFailure } from './observer.js';
import { type ResolvedSimulation, resolveOptions } from './resolve-options.js';
import type { UserCase } from './run-case.js';
import type { SimulateOptions, SimulationInput, SimulationReport } from './simulate-options.js';
import { SimulationFailure } from './simulation-failure.js';
import { drawFaults, noUserFaults } from './user-faults.js';

/**
 * Runs a job under seeded faults (kills, power cuts, pauses, restarts with other slots, …) in
 * virtual time, and checks what it has committed. Its sources and sinks are replaced by simulated
 * ones; its functions run as they are, and see a simulated clock and randomness. The same seed
 * gives the same run.
 *
 * Each start of a process builds the job anew, so that what its closures keep is lost with the
 * process. Variables of a module are not: they go on through all runs.
 *
 * @throws SimulationFailure when an oracle does not hold, or the job fails; its message has the
 *   seed, the smallest case that was found, and what happened
 * @throws MillraceError `ERR_TEST_KIT` when options do not fit the job
 * @example
 * test('survives faults', async () => {
 *   await simulate(cardVelocity, { input: { payments }, splits: { payments: 2 } });
 * });
 */
export function simulate<P extends JobParams, I extends SimulationInput>(
  job: JobDefinition<P>,
  options: SimulateOptions<P, I>,
): Promise<SimulationReport> {
  return inTurn(() => simulateSeeds(resolveOptions(job, options)));
}

async function simulateSeeds(simulation: ResolvedSimulation): Promise<SimulationReport> {
  const observer = new Observer(simulation);
  for (const seed of simulation.seeds) {
    const found = await findingOf(simulation, observer, seed);
    if (found !== undefined) throw await failureOf(simulation, observer, found);
  }
  return observer.report();
}

/** @throws SimulationFailure when the job does not finish without faults */
async function findingOf(
  simulation: ResolvedSimulation,
  observer: Observer,
  seed: number,
): Promise<Finding | undefined> {
  const { oracles } = simulation;
  const case_ = caseOf(simulation, seed);
  const [underFaults, inOrders] = (['faults', 'orders'] as const).map((runs) =>
    oracles.filter((oracle) => oracle.runs === runs),
  );
  try {
    const found = underFaults!.length > 0 ? await observer.judge(underFaults!, case_) : undefined;
    if (found !== undefined || inOrders!.length === 0) return found;
    return await observer.judge(inOrders!, { ...case_, faults: noUserFaults });
  } catch (error) {
    if (!(error instanceof ReferenceFailure)) throw error;
    const text = `job ${simulation.name} fails without faults in one slot: ${error.message}`;
    throw new SimulationFailure(seed, 'finishes', text, error.cause);
  }
}

function caseOf(simulation: ResolvedSimulation, seed: number): UserCase {
  const random = new SeededRandom(seed).fork('case');
  const sources = planArrivals(simulation.draw(seed), random.fork('arrivals'));
  const faults = drawFaults(simulation.faults, lastArrivalOf(sources), random.fork('faults'));
  return { seed, ambientSeed: seed, sources, faults, slots: simulation.slots };
}

async function failureOf(
  simulation: ResolvedSimulation,
  observer: Observer,
  found: Finding,
): Promise<SimulationFailure> {
  const isCompared = found.oracle?.kind === 'compared';
  const reason = isCompared ? await reasonOf(observer, found) : undefined;
  // Where runs cannot be repeated a smaller one would differ for any reason.
  const runsMax = reason === 'not repeatable' ? 0 : simulation.minimiseRunsMax;
  const smallest = await minimiseCase(observer, found, runsMax);
  const hint = reason === undefined ? undefined : hints[reason];
  const text = failureText({ simulation, found, smallest, hint });
  const oracle = found.oracle?.name ?? 'finishes';
  return new SimulationFailure(found.case.seed, oracle, text, found.error);
}
