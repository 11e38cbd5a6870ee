import type { SeededRandom } from '../simulation/seeded-random.js';

/** A record of a user's job, with where and when it is read. */
export interface PlannedRecord {
  readonly value: unknown;
  readonly split: string;
  /** When it can be read, virtual ms. */
  readonly arrivalMs: number;
}

/** What one source gives in one run, in the order of the user's list. */
export interface PlannedSource {
  readonly id: string;
  readonly records: readonly PlannedRecord[];
}

/** How a source's records are told apart. */
export type SplitRule = number | ((record: never) => string | number) | undefined;

/** Input of a run before it has times. */
export interface DrawnInput {
  readonly id: string;
  readonly values: readonly unknown[];
  readonly splits: SplitRule;
}

/** Virtual time in which all records arrive, ms: from a burst to a stream with pauses. */
const arrivalSpanMs = { min: 50, max: 300 } as const;

/** Each split's records come in their order, over a time of its own. */
export function planArrivals(
  inputs: readonly DrawnInput[],
  random: SeededRandom,
): readonly PlannedSource[] {
  const spanMs = random.spread(arrivalSpanMs.min, arrivalSpanMs.max);
  return inputs.map((input) => {
    const clocks = new Map<string, { nowMs: number; readonly gapMs: number }>();
    const own = random.fork(`arrivals ${input.id}`);
    const perSplit = Math.max(1, input.values.length / splitCount(input));
    return planSource(input, (split) => {
      const gapMs = (spanMs / perSplit) * own.fork(`split ${split}`).spread(0.3, 1.5);
      const clock = clocks.get(split) ?? { nowMs: 0, gapMs };
      clocks.set(split, clock);
      clock.nowMs += clock.gapMs * -Math.log(1 - own.next());
      return clock.nowMs;
    });
  });
}

/** When the last record can be read, virtual ms. */
export function lastArrivalOf(sources: readonly PlannedSource[]): number {
  return sources.reduce(
    (last, { records }) => records.reduce((max, r) => Math.max(max, r.arrivalMs), last),
    1,
  );
}

/** The values alone, by source. */
export function valuesOf(
  sources: readonly PlannedSource[],
): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    sources.map(({ id, records }) => [id, records.map(({ value }) => value)]),
  );
}

/** The same records, all there from the start. */
export function withoutTimes(sources: readonly PlannedSource[]): readonly PlannedSource[] {
  return sources.map(({ id, records }) => ({
    id,
    records: records.map((record) => ({ ...record, arrivalMs: 0 })),
  }));
}

export const recordCount = (sources: readonly PlannedSource[]): number =>
  sources.reduce((sum, { records }) => sum + records.length, 0);

function planSource(
  { id, values, splits }: DrawnInput,
  arrivalMs: (split: string) => number,
): PlannedSource {
  const records = values.map((value, index) => {
    const split = splitOf(splits, value, index);
    return { value, split, arrivalMs: arrivalMs(split) };
  });
  return { id, records };
}

function splitOf(rule: SplitRule, value: unknown, index: number): string {
  if (typeof rule === 'function') return String(rule(value as never));
  return String(index % (rule ?? 1));
}

function splitCount({ values, splits }: DrawnInput): number {
  return new Set(values.map((value, index) => splitOf(splits, value, index))).size;
}
