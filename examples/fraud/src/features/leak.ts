import { ASSUMPTIONS } from '../assumptions.js';
import { DAY_MS } from '../day.js';
import { LABEL_DELAY_MS } from '../label.js';

const { startChance, days } = ASSUMPTIONS.leak;

/** A labelled payment is a week old: leaks that covered it must still be remembered. */
const REMEMBERED_DAYS = days + LABEL_DELAY_MS / DAY_MS;

/**
 * What is believed of a card: it may have been leaked on any recent day, or not at all. Each
 * observation weighs the cases that cover its day (Bayes' rule). `begun[i]` is the chance that a
 * leak began on day `today - i`; with `none` they sum to 1.
 */
export interface LeakBelief {
  today: number;
  none: number;
  readonly begun: Float64Array;
}

// However sure we are, contrary evidence must be able to change it.
const CHANCE_MIN = 1e-30;

/** Nothing is known yet. */
export function newLeakBelief(today: number): LeakBelief {
  const begun = new Float64Array(REMEMBERED_DAYS).fill(startChance);
  return { today, none: NONE_AT_FIRST, begun };
}

/** A copy that shares nothing that changes. */
export function copyLeakBelief({ today, none, begun }: LeakBelief): LeakBelief {
  return { today, none, begun: begun.slice() };
}

const NONE_AT_FIRST = 1 - startChance * REMEMBERED_DAYS;

/**
 * Moves on to a later day. A leak too old to be remembered is over. An earlier day changes nothing.
 */
export function moveOn(belief: LeakBelief, today: number): void {
  const passed = today - belief.today;
  if (passed <= 0) return;
  const { begun } = belief;
  const start = startAfter(belief, passed);
  if (passed >= REMEMBERED_DAYS) {
    belief.none = NONE_AT_FIRST;
    begun.fill(startChance);
  } else {
    belief.none = noneAfter(belief, passed) - start * passed;
    begun.copyWithin(passed, 0, REMEMBERED_DAYS - passed);
    begun.fill(start, 0, passed);
  }
  belief.today = today;
}

/** The chance that a leak covers `day`, as it will stand on day `today` if nothing is learned. */
export function leakChanceOn(belief: LeakBelief, day: number, today = belief.today): number {
  const passed = Math.max(0, today - belief.today);
  const now = belief.today + passed;
  const start = startAfter(belief, passed);
  const to = coveringTo(now, day);
  let covering = 0;
  for (let index = coveringFrom(now, day); index < to; index += 1) {
    covering += index < passed ? start : belief.begun[index - passed]!;
  }
  return Math.min(1, covering);
}

/**
 * Learns an observation of a day which is `evidence` times as likely on a leaked card as on
 * another.
 */
export function learnOfLeak(belief: LeakBelief, day: number, evidence: number): void {
  const scale = 1 / (1 + leakChanceOn(belief, day) * (evidence - 1));
  const from = coveringFrom(belief.today, day);
  const to = coveringTo(belief.today, day);
  const { begun } = belief;
  for (let index = 0; index < REMEMBERED_DAYS; index += 1) {
    const weight = index >= from && index < to ? evidence * scale : scale;
    begun[index] = Math.max(CHANCE_MIN, begun[index]! * weight);
  }
  belief.none = Math.max(CHANCE_MIN, belief.none * scale);
}

/** A chance after evidence that is `evidence` times as likely if it is so as if it is not. */
export function weighed(chance: number, evidence: number): number {
  return (chance * evidence) / (1 + chance * (evidence - 1));
}

/** The chance of no leak once `passed` days have pushed the oldest ones out. */
function noneAfter({ none, begun }: LeakBelief, passed: number): number {
  let sum = none;
  for (let index = REMEMBERED_DAYS - passed; index < REMEMBERED_DAYS; index += 1) {
    sum += begun[index]!;
  }
  return sum;
}

/** The chance that a leak began on one of the `passed` days since. */
function startAfter(belief: LeakBelief, passed: number): number {
  return passed >= REMEMBERED_DAYS ? startChance : noneAfter(belief, passed) * startChance;
}

function coveringFrom(today: number, day: number): number {
  return Math.max(0, today - day);
}

function coveringTo(today: number, day: number): number {
  return Math.min(REMEMBERED_DAYS, today - day + days);
}
