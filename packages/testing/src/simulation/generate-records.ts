import type { SimulatedRecord, SourcePlan, SplitPlan } from './job-plan.js';
import type { SeededRandom } from './seeded-random.js';

/** When event time begins in simulated jobs, epoch ms. */
const eventTimeStartMs = Date.UTC(2020, 0, 1);

/** Ids of a source's records begin at a multiple of this. */
const idsPerSource = 1_000_000;

/** What a source's input is like. */
export interface InputShape {
  readonly splits: number;
  readonly records: number;
  readonly keys: number;
  /** How long records arrive, virtual ms. */
  readonly durationMs: number;
  /** Some records come later than watermarks allow. */
  readonly late: 'none' | 'some';
  readonly idleAfterMs: number | undefined;
  /** `late`: one split after another is found, while others are read. */
  readonly found: 'at once' | 'late';
}

/** The input of a source: bursts, gaps and disorder, fixed by the generator. */
export function generateSource(
  index: number,
  shape: InputShape,
  random: SeededRandom,
): Omit<SourcePlan, 'maxDriftMs'> {
  const outOfOrdernessMs = random.pick([0, 20, 80, 200]);
  const shares = Array.from({ length: shape.splits }, () => random.spread(0.05, 1));
  // Now and then a split has nothing at all.
  if (shares.length > 1 && random.chance(0.15)) shares[0] = 0;
  const all = shares.reduce((sum, share) => sum + share, 0);
  let nextId = (index + 1) * idsPerSource;
  const splits = shares.map((share, number) => {
    const count = Math.round((shape.records * share) / all);
    const split = generateSplit(
      { id: `split${number}`, firstId: nextId, count },
      { ...shape, outOfOrdernessMs },
      random.fork(`split ${number}`),
    );
    nextId += count;
    return split;
  });
  return {
    id: `in${index}`,
    splits,
    outOfOrdernessMs,
    idleAfterMs: shape.idleAfterMs,
    stepMs: random.pick([1, 20, 50, 200]),
    chunkRecordsMax: random.pick([1, 3, 10, 64, 512]),
    // What is found later may be behind the watermark of what was found before.
    foundAtOnce:
      shape.found === 'late' || (shape.late === 'some' && random.chance(0.3)) ? 1 : shape.splits,
  };
}

function generateSplit(
  { id, firstId, count }: { readonly id: string; readonly firstId: number; readonly count: number },
  shape: InputShape & { readonly outOfOrdernessMs: number },
  random: SeededRandom,
): SplitPlan {
  const { durationMs, outOfOrdernessMs } = shape;
  const records: SimulatedRecord[] = [];
  const arrivalsMs: number[] = [];
  const gapMs = durationMs / Math.max(1, count);
  const burst = random.pick([1, 1, 5, 20]);
  let arrivalMs = random.next() * gapMs;
  let highestAt = 0;
  for (let i = 0; i < count; i += 1) {
    if (i % burst === 0) arrivalMs += gapMs * burst * 2 * random.next();
    if (random.chance(0.01)) arrivalMs += durationMs * 0.1 * random.next();
    const isLate = shape.late === 'some' && random.chance(0.05);
    const backMs = Math.floor(random.next() * (outOfOrdernessMs + 1)) + (isLate ? 300 : 0);
    const trueAt = Math.max(highestAt - outOfOrdernessMs, Math.floor(arrivalMs) - backMs);
    const at = isLate ? Math.floor(arrivalMs) - backMs : trueAt;
    highestAt = Math.max(highestAt, at);
    records.push({
      id: firstId + i,
      key: Math.floor(random.next() ** 2 * shape.keys),
      at: eventTimeStartMs + at,
      amount: random.whole(0, 1_000),
      part: 0,
    });
    arrivalsMs.push(arrivalMs);
  }
  return { id, records, arrivalsMs };
}
