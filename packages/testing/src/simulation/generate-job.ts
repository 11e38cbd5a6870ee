import { generateLimits } from './engine-limits.js';
import { generateSource, type InputShape } from './generate-records.js';
import type {
  BranchPlan,
  JobPlan,
  KeyedPlan,
  RefusalPlan,
  SourcePlan,
  StatelessPlan,
  WindowPlan,
} from './job-plan.js';
import type { SeededRandom } from './seeded-random.js';

/** What the branches of a job may rely on. */
interface Input {
  readonly sources: number;
  /** One split of one source: records come in one order, whatever happens. */
  readonly isOrdered: boolean;
  readonly late: InputShape['late'];
  readonly kind: JobPlan['kind'];
}

/** A job as the seed wants it. To add a kind of operator, add it to `job-plan.ts` and here. */
export function generateJob(random: SeededRandom): JobPlan {
  const kind = random.chance(0.25) ? 'conserving' : 'determinate';
  const isOrdered = kind === 'determinate' && random.chance(0.3);
  const input: Input = {
    kind,
    isOrdered,
    sources: isOrdered ? 1 : random.whole(1, 3),
    late: isOrdered || kind === 'conserving' ? random.pick(['none', 'some']) : 'none',
  };
  const shape = random.fork('shape');
  const durationMs = Math.round(shape.spread(400, 4_000));
  const aligned = random.fork('aligned');
  const maxDriftMs = aligned.chance(0.3) ? aligned.pick([50, 500, 2_000]) : undefined;
  const sources = Array.from({ length: input.sources }, (_, index): SourcePlan => {
    const source = sourceOf(index, input, durationMs, random.fork(`source ${index}`));
    return { ...source, maxDriftMs };
  });
  const branches = Array.from({ length: random.whole(1, 3) }, (_, index) =>
    branchOf(`b${index}`, input, random.fork(`branch ${index}`)),
  );
  return {
    kind,
    sources,
    branches,
    backend: random.chance(0.3) ? 'level' : 'heap',
    stateMemoryBytes: random.pick([1 << 10, 1 << 14, 1 << 20]),
    codegen: random.chance(0.5) ? 'on' : 'off',
    checkRecords: random.fork('check').chance(0.2) ? 'on' : 'off',
    slots: slotsOf(input, random.fork('slots')),
    lanes: random.fork('lanes').chance(0.65) ? 'links' : 'queues',
    limits: generateLimits(random.fork('limits')),
  };
}

/** What is late is fixed in one slot only: watermarks of several meet as it comes. */
function slotsOf({ kind, late }: Input, random: SeededRandom): readonly number[] {
  if (kind === 'determinate' && late === 'some') return [1];
  return random.pick([[1], [2], [3], [1, 2, 3]]);
}

function sourceOf(
  index: number,
  input: Input,
  durationMs: number,
  random: SeededRandom,
): Omit<SourcePlan, 'maxDriftMs'> {
  const isIdle = input.kind === 'conserving' && random.chance(0.5);
  return generateSource(
    index,
    {
      splits: input.isOrdered ? 1 : random.whole(1, 4),
      records: Math.round(random.spread(30, 600)),
      keys: random.pick([1, 5, 40, 300]),
      durationMs,
      late: input.late,
      found: input.kind === 'conserving' && random.fork('found').chance(0.5) ? 'late' : 'at once',
      idleAfterMs: isIdle ? random.pick([20, 100, 500]) : undefined,
    },
    random,
  );
}

function branchOf(id: string, input: Input, random: SeededRandom): BranchPlan {
  const keyed = keyedOf(input, random.fork('keyed'));
  const first = random.whole(0, input.sources - 1);
  const second = (first + 1) % input.sources;
  const slow = random.fork('slow');
  const joins = second !== first && (keyed.kind === 'connect' || random.chance(0.3));
  const steps = [...stepsOf(random.fork('steps')), ...slowStep(slow.fork('step'))];
  // There is one sink for dead letters.
  const mayRefuse = keyed.kind !== 'none' && !steps.some(({ kind }) => kind === 'deadLetter');
  return {
    id,
    sources: joins ? [first, second] : [first],
    steps,
    refuses: mayRefuse ? refusalOf(keyed, input, random.fork('refuses')) : undefined,
    key: random.pick(['number', 'string', 'tuple']),
    keyed,
    sink: random.pick(['exactly-once', 'exactly-once', 'staged', 'at-least-once']),
    writeMs: slow.chance(0.35) ? slow.spread(1, 60) : 0,
  };
}

/** One step is always there, for faults to throw in. */
function stepsOf(random: SeededRandom): readonly StatelessPlan[] {
  const steps: StatelessPlan[] = [{ kind: 'fallible' }];
  for (let i = random.whole(0, 3); i > 0; i -= 1) steps.push(stepOf(random));
  // There is one sink for dead letters.
  const [first, ...others] = steps.filter(({ kind }) => kind === 'deadLetter');
  return steps.filter((step) => step === first || !others.includes(step));
}

function refusalOf(
  { kind }: KeyedPlan,
  input: Input,
  random: SeededRandom,
): RefusalPlan | undefined {
  if (!random.chance(0.3)) return undefined;
  // What is late is no dead letter: no function of the window sees it.
  const someMayBeLate = kind === 'window' && (input.late === 'some' || input.kind === 'conserving');
  const at = someMayBeLate ? 'key' : random.pick(['key', 'operator'] as const);
  return { at, every: random.whole(3, 20) };
}

/** Barriers wait behind what is slow. */
function slowStep(random: SeededRandom): readonly StatelessPlan[] {
  return random.chance(0.2) ? [{ kind: 'slow', ms: random.spread(0.05, 3) }] : [];
}

function stepOf(random: SeededRandom): StatelessPlan {
  switch (random.whole(0, 3)) {
    case 0:
      return { kind: 'map', add: random.whole(1, 5) };
    case 1:
      return { kind: 'filter', every: random.whole(2, 9) };
    case 2:
      return { kind: 'flatMap', copies: random.whole(0, 3) };
    default:
      return { kind: 'deadLetter', every: random.whole(5, 20) };
  }
}

function keyedOf({ isOrdered, kind, sources, late }: Input, random: SeededRandom): KeyedPlan {
  const among: readonly KeyedPlan['kind'][] = [
    'none',
    'window',
    'window',
    'window',
    // A timer for the past fires at the next watermark, and a restored job sends its last one again.
    ...(kind === 'conserving' || late === 'none' ? (['process', 'process'] as const) : []),
    ...(isOrdered || kind === 'conserving' ? (['running', 'running'] as const) : []),
    ...(kind === 'conserving' ? (['byClock', 'byClock'] as const) : []),
    ...(sources > 1 ? (['connect', 'connect'] as const) : []),
  ];
  const chosen = random.pick(among);
  switch (chosen) {
    case 'window': {
      const window = windowOf(kind, random);
      const latenessMs = random.pick([0, 0, 50, 400]);
      const again = kind === 'determinate' && random.chance(0.3) ? 'tumbling' : 'no';
      return { kind: 'window', window, latenessMs, again };
    }
    case 'process':
    case 'connect':
      return { kind: chosen, bucketMs: random.pick([10, 60, 250, 1_000]) };
    case 'byClock':
      return { kind: chosen, delayMs: random.pick([1, 30, 400]) };
    default:
      return { kind: chosen };
  }
}

function windowOf(kind: JobPlan['kind'], random: SeededRandom): WindowPlan {
  const sizeMs = random.pick([20, 100, 300, 1_000]);
  switch (random.whole(0, 2)) {
    case 0:
      return { kind: 'tumbling', sizeMs };
    case 1:
      // A record that is late for one of its windows only would be in fewer rows.
      if (kind === 'conserving') return { kind: 'tumbling', sizeMs };
      return { kind: 'sliding', sizeMs, slideMs: sizeMs / random.pick([2, 4, 5]) };
    default:
      return { kind: 'session', gapMs: random.pick([10, 40, 150]) };
  }
}
