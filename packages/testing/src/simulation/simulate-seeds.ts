import { type SeedResult, type SimulationOptions, simulateSeed } from './simulate-seed.js';

/** Many seeds in figures; sums add up over processes. */
export interface SeedsReport {
  readonly seeds: number;
  readonly detected: number;
  readonly picks: number;
  readonly records: number;
  readonly starts: number;
  readonly committedCheckpoints: number;
  /** Those of them with records that waited in channels. */
  readonly unalignedCheckpoints: number;
  /** Faults that hit something, by kind. */
  readonly effectiveFaults: Readonly<Record<string, number>>;
  readonly violations: readonly SeedViolation[];
}

export interface SeedViolation {
  readonly seed: number;
  readonly message: string;
}

export const emptyReport: SeedsReport = {
  seeds: 0,
  detected: 0,
  picks: 0,
  records: 0,
  starts: 0,
  committedCheckpoints: 0,
  unalignedCheckpoints: 0,
  effectiveFaults: {},
  violations: [],
};

/** One seed as a report. */
export function reportOf(result: Omit<SeedResult, 'timeline' | 'case'>): SeedsReport {
  const { seed, violation, verdict, picks, records, starts } = result;
  return {
    seeds: 1,
    detected: verdict === 'detected' ? 1 : 0,
    picks,
    records,
    starts,
    committedCheckpoints: result.committedCheckpoints,
    unalignedCheckpoints: result.unalignedCheckpoints,
    effectiveFaults: result.effectiveFaults,
    violations: violation === undefined ? [] : [{ seed, message: violation.message }],
  };
}

export function addReports(a: SeedsReport, b: SeedsReport): SeedsReport {
  const faults = { ...a.effectiveFaults };
  for (const [kind, count] of Object.entries(b.effectiveFaults)) {
    faults[kind] = (faults[kind] ?? 0) + count;
  }
  return {
    seeds: a.seeds + b.seeds,
    detected: a.detected + b.detected,
    picks: a.picks + b.picks,
    records: a.records + b.records,
    starts: a.starts + b.starts,
    committedCheckpoints: a.committedCheckpoints + b.committedCheckpoints,
    unalignedCheckpoints: a.unalignedCheckpoints + b.unalignedCheckpoints,
    effectiveFaults: faults,
    violations: [...a.violations, ...b.violations],
  };
}

export interface SeedRange extends SimulationOptions {
  /** The first seed. Default 1. */
  readonly from?: number | undefined;
  readonly count: number;
  /** From one seed to the next. Default 1; two processes share a range by 2. */
  readonly step?: number | undefined;
  /** Called after each seed; `stop` ends the range. */
  readonly onSeed?: ((result: SeedResult) => 'go on' | 'stop') | undefined;
}

/** Runs one seed after another. */
export async function simulateSeeds(range: SeedRange): Promise<SeedsReport> {
  const { from = 1, step = 1, count, onSeed } = range;
  let report = emptyReport;
  for (let i = 0; i < count; i += 1) {
    const result = await simulateSeed(from + i * step, range);
    report = addReports(report, reportOf(result));
    if (onSeed?.(result) === 'stop') break;
  }
  return report;
}
