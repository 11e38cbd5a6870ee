import fc from 'fast-check';

/** What the jobs' streams carry, all of them. */
export interface Item {
  readonly id: number;
  readonly value: number;
  /** Its timestamp, epoch ms. */
  readonly at: number;
}

export interface SourcePlan {
  readonly count: number;
  readonly splits: number;
  readonly stepMs: number;
  readonly disorderMs: number;
}

/** How records come to the operator that reads them. */
const ways = [
  'asIs',
  'key',
  'keyTwice',
  'rebalance',
  'rescale',
  'global',
  'custom',
  'broadcast',
] as const;
export type Way = (typeof ways)[number];

const keyKinds = ['number', 'string', 'tuple', 'mixed'] as const;
export type KeyKind = (typeof keyKinds)[number];

const stepKinds = [
  'map',
  'filter',
  'flatMap',
  'handle',
  'union',
  'window',
  'process',
  'keyedProcess',
  'connect',
  'updated',
  'keyedUpdated',
] as const;
type StepKind = (typeof stepKinds)[number];

/** An operator, and what it reads. Streams are counted modulo those that there are so far. */
export interface StepPlan {
  readonly kind: StepKind;
  readonly from: number;
  readonly other: number;
  readonly way: Way;
  readonly otherWay: Way;
  readonly key: KeyKind;
  /** Which of the operator's own forms it has. */
  readonly form: number;
  /** Where a function throws, and what becomes of the record. */
  readonly refuses: 'nothing' | 'records' | 'keys';
  readonly policy: 'deadLetter' | 'skip';
  /** A bit for each way in which side outputs are consumed. */
  readonly sides: number;
}

/** A job. Streams that nobody consumes go to sinks. */
export interface GraphPlan {
  readonly sources: readonly SourcePlan[];
  readonly steps: readonly StepPlan[];
  /** Streams that go to sinks, too, though others consume them. */
  readonly tapped: readonly number[];
  /** How sinks read, in turn. */
  readonly sinkWays: readonly Way[];
}

/** Ways of running a job, beside the plainest one. */
export interface RunPlan {
  /** Subtasks of operators, in turn. */
  readonly parallelism: readonly number[];
  /** Where the job is stopped, ms after its start, and in how many slots it runs then and later. */
  readonly stopMs: number;
  readonly slots: readonly [number, number];
  readonly several: number;
}

const source: fc.Arbitrary<SourcePlan> = fc.record({
  count: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 120 }) },
    { weight: 1, arbitrary: fc.constant(0) },
  ),
  splits: fc.integer({ min: 1, max: 4 }),
  stepMs: fc.constantFrom(1, 7, 40),
  disorderMs: fc.constantFrom(0, 30),
});

const way = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Way>('asIs') },
  { weight: 2, arbitrary: fc.constantFrom(...ways) },
);

const step: fc.Arbitrary<StepPlan> = fc.record({
  kind: fc.constantFrom(...stepKinds),
  from: fc.nat(11),
  other: fc.nat(11),
  way,
  otherWay: way,
  key: fc.constantFrom(...keyKinds),
  form: fc.nat(11),
  refuses: fc.constantFrom('nothing', 'nothing', 'records', 'keys'),
  policy: fc.constantFrom('deadLetter', 'deadLetter', 'skip'),
  sides: fc.nat(31),
});

export const graphs: fc.Arbitrary<GraphPlan> = fc.record({
  sources: fc.array(source, { minLength: 1, maxLength: 3 }),
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  tapped: fc.array(fc.nat(15), { maxLength: 3 }),
  sinkWays: fc.array(way, { minLength: 1, maxLength: 4 }),
});

const slots = fc.integer({ min: 1, max: 3 });

export const runs: fc.Arbitrary<RunPlan> = fc.record({
  parallelism: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 7 }),
  stopMs: fc.integer({ min: 20, max: 240 }),
  slots: fc.tuple(slots, slots),
  several: fc.integer({ min: 2, max: 3 }),
});
