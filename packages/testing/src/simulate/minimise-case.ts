import type { PlannedRecord, PlannedSource } from './input-plan.js';
import type { Finding, Observer } from './observer.js';
import type { UserCase } from './run-case.js';
import { noUserFaults } from './user-faults.js';

/**
 * Makes a failing case smaller as long as the same oracle does not hold: fewer faults, one slot,
 * less input. Each change shifts what happens when, so what is left may be larger than need be.
 *
 * @param runsMax cases that may be tried
 */
export async function minimiseCase(
  observer: Observer,
  found: Finding,
  runsMax: number,
): Promise<Finding> {
  let best = found;
  let left = runsMax;
  const { oracle } = found;
  const attempt = async (smaller: UserCase): Promise<boolean> => {
    left -= 1;
    const finding = await judged(observer, found, smaller);
    if (finding === undefined || finding.oracle !== oracle) return false;
    best = finding;
    return true;
  };
  for (let hasShrunk = true; hasShrunk && left > 0; ) {
    hasShrunk = false;
    for (const candidates of [fewerFaults, lessInput]) {
      // After a success the candidates are those of the smaller case.
      for (let at = 0; left > 0; ) {
        const smaller = candidates(best.case)[at];
        if (smaller === undefined) break;
        if (await attempt(smaller)) hasShrunk = true;
        else at += 1;
      }
    }
  }
  return best;
}

/** A part of the input that the job cannot even take without faults fails for another reason. */
async function judged(
  observer: Observer,
  { oracle }: Finding,
  smaller: UserCase,
): Promise<Finding | undefined> {
  try {
    return await observer.judge(oracle === undefined ? [] : [oracle], smaller);
  } catch {
    return undefined;
  }
}

function fewerFaults(case_: UserCase): readonly UserCase[] {
  const { faults, slots } = case_;
  const smaller: UserCase[] = [];
  if (faults.kinds.length > 0) smaller.push({ ...case_, faults: noUserFaults });
  if (faults.kinds.length > 1) {
    for (const dropped of faults.kinds) {
      const kinds = faults.kinds.filter((kind) => kind !== dropped);
      smaller.push({ ...case_, faults: { ...faults, kinds } });
    }
  }
  if (slots.length > 1) smaller.push({ ...case_, slots: [1] }, { ...case_, slots: [2] });
  if (faults.endMs > 20) {
    smaller.push({ ...case_, faults: { ...faults, endMs: faults.endMs / 2 } });
  }
  return smaller;
}

/** Without a run of records of a source: half of them first, then shorter ones. */
function lessInput(case_: UserCase): readonly UserCase[] {
  const smaller: UserCase[] = [];
  for (const parts of [2, 4, 8, 16]) {
    for (const source of case_.sources) {
      const length = Math.ceil(source.records.length / parts);
      if (length === 0 || (parts > 2 && length === lengthBefore(source, parts))) continue;
      for (let from = 0; from < source.records.length; from += length) {
        const isKept = (_: PlannedRecord, at: number): boolean => at < from || at >= from + length;
        const records = source.records.filter(isKept);
        smaller.push(withSource(case_, { ...source, records }));
      }
    }
  }
  return smaller;
}

const lengthBefore = ({ records }: PlannedSource, parts: number): number =>
  Math.ceil(records.length / (parts / 2));

const withSource = (case_: UserCase, changed: PlannedSource): UserCase => ({
  ...case_,
  isPart: true,
  sources: case_.sources.map((source) => (source.id === changed.id ? changed : source)),
});
