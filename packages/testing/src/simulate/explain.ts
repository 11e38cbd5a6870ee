import type { Finding, Observer } from './observer.js';
import { differenceOf } from './oracles/difference.js';
import type { UserCase, UserRun } from './run-case.js';
import { noUserFaults } from './user-faults.js';

/** Runs without faults that are tried, each with another order. */
const ordersMax = 8;

/** Why outputs of two runs may differ. */
export type Reason = 'not repeatable' | 'order' | 'faults';

export const hints: Readonly<Record<Reason, string>> = {
  'not repeatable':
    'Two runs without faults in one slot differ, too: a function asks the clock or randomness\n' +
    '(Date, Math.random), or keeps something in a variable of its module, which outlives a run.',
  order:
    'It differs without faults, too: the output depends on the order in which records of several\n' +
    'splits, inputs or slots come together.',
  faults:
    'It differs only with faults: something that output depends on is not in the state of the job,\n' +
    'for example in a variable: that dies with a process, and does not go back to a checkpoint.',
};

/** Runs the case again without what may be the reason. */
export async function reasonOf(observer: Observer, { case: case_ }: Finding): Promise<Reason> {
  if (await differs(observer, await observer.repeatReference(case_.sources), case_)) {
    return 'not repeatable';
  }
  if (case_.faults.kinds.length === 0) return 'order';
  for (let i = 0; i < ordersMax; i += 1) {
    const orderly = await observer.run({ ...case_, seed: case_.seed + i, faults: noUserFaults });
    if (await differs(observer, orderly, case_)) return 'order';
  }
  return 'faults';
}

async function differs(
  observer: Observer,
  { rows, failure }: UserRun,
  case_: UserCase,
): Promise<boolean> {
  if (failure !== undefined) return true;
  return differenceOf(rows, (await observer.referenceOf(case_)).rows) !== undefined;
}
