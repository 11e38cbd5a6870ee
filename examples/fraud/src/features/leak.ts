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
  readonly today: number;
  readonly none: number;
  readonly begun: readonly number[];
}

// However sure we are, contrary evidence must be able to change it.
const CHANCE_MIN = 1e-30;

/** Nothing is known yet. */
export function newLeakBelief(today: number): LeakBelief {
  const begun = new Array<number>(REMEMBERED_DAYS).fill(startChance);
  return { today, none: 1 - startChance * REMEMBERED_DAYS, begun };
}

/**
 * Moves on to a later day. A leak too old to be remembered is over. An earlier day changes nothing.
 */
export function leakBeliefOn(belief: LeakBelief, today: number): LeakBelief {
  const passed = today - belief.today;
  if (passed <= 0) return belief;
  if (passed >= REMEMBERED_DAYS) return newLeakBelief(today);
  const kept = REMEMBERED_DAYS - passed;
  let none = belief.none;
  for (let index = kept; index < REMEMBERED_DAYS; index += 1) none += belief.begun[index]!;
  const start = none * startChance;
  const begun = new Array<number>(REMEMBERED_DAYS).fill(start);
  for (let index = 0; index < kept; index += 1) begun[index + passed] = belief.begun[index]!;
  return { today, none: none - start * passed, begun };
}

/** The chance that a leak covers `day`. */
export function leakChanceOn(belief: LeakBelief, day: number): number {
  const to = coveringTo(belief, day);
  let covering = 0;
  for (let index = coveringFrom(belief, day); index < to; index += 1) {
    covering += belief.begun[index]!;
  }
  return Math.min(1, covering);
}

/**
 * Learns an observation of a day which is `evidence` times as likely on a leaked card as on
 * another.
 */
export function learnOfLeak(belief: LeakBelief, day: number, evidence: number): LeakBelief {
  const scale = 1 / (1 + leakChanceOn(belief, day) * (evidence - 1));
  const from = coveringFrom(belief, day);
  const to = coveringTo(belief, day);
  const begun = belief.begun.slice();
  for (let index = 0; index < begun.length; index += 1) {
    const weight = index >= from && index < to ? evidence * scale : scale;
    begun[index] = Math.max(CHANCE_MIN, begun[index]! * weight);
  }
  return { today: belief.today, none: Math.max(CHANCE_MIN, belief.none * scale), begun };
}

/** A chance after evidence that is `evidence` times as likely if it is so as if it is not. */
export function weighed(chance: number, evidence: number): number {
  return (chance * evidence) / (1 + chance * (evidence - 1));
}

function coveringFrom(belief: LeakBelief, day: number): number {
  return Math.max(0, belief.today - day);
}

function coveringTo(belief: LeakBelief, day: number): number {
  return Math.min(REMEMBERED_DAYS, belief.today - day + days);
}
