import type { Source } from '@millrace/core/spi';
import type { SimulatedRecord, SourcePlan, SplitPlan } from '../simulation/job-plan.js';
import type { SeededRandom } from '../simulation/seeded-random.js';
import { SimulatedSource } from '../simulation/simulated-source.js';
import type { WorldProcess } from '../simulation/world-process.js';
import type { PlannedSource } from './input-plan.js';

/** How records come together in one process. */
export interface ReadingParts {
  readonly process: WorldProcess;
  readonly nowMs: () => number;
  readonly random: SeededRandom;
}

/** Records of one chunk at most: from one by one to whole batches. */
const chunkRecords = { min: 1, max: 200 } as const;

/** A source of planned records in place of the job's own, that can be read again from anywhere. */
export function plannedSource(
  planned: PlannedSource,
  original: Source<unknown>,
  { process, nowMs, random }: ReadingParts,
): Source<unknown> {
  const splits = splitsOf(planned);
  const plan: SourcePlan = {
    id: planned.id,
    splits,
    chunkRecordsMax: Math.round(random.spread(chunkRecords.min, chunkRecords.max)),
    // Records of a split that is found later may be late, and no job could help it.
    foundAtOnce: splits.length,
    // Watermarks are the job's matter.
    outOfOrdernessMs: 0,
    idleAfterMs: undefined,
    maxDriftMs: undefined,
    stepMs: 1,
  };
  const inner = new SimulatedSource({ plan, process, nowMs, random });
  return {
    type: original.type,
    replay: 'exact',
    bounded: true,
    parallelismMax: original.parallelismMax,
    createEnumerator: (context, snapshot) => inner.createEnumerator(context, snapshot),
    createReader: () => inner.createReader(),
  };
}

function splitsOf({ records }: PlannedSource): readonly SplitPlan[] {
  const ids = new Set(records.map(({ split }) => split));
  // A source without records still has an end to tell.
  if (ids.size === 0) ids.add('0');
  return [...ids].map((id) => {
    const own = records.filter(({ split }) => split === id);
    return {
      id,
      // The simulated source hands records on and never looks into them.
      records: own.map(({ value }) => value) as readonly SimulatedRecord[],
      arrivalsMs: own.map(({ arrivalMs }) => arrivalMs),
    };
  });
}
