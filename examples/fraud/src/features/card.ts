import { ASSUMPTIONS } from '../assumptions.js';
import { dayOf } from '../day.js';
import type { Label } from '../label.js';
import type { Payment } from '../transaction.js';
import {
  type AmountHistory,
  addAmount,
  NO_AMOUNTS,
  theftLikelihood,
  type UsualAmount,
  usualAmount,
} from './amount-history.js';
import {
  type LeakBelief,
  leakBeliefOn,
  leakChanceOn,
  learnOfLeak,
  newLeakBelief,
  weighed,
} from './leak.js';
import {
  NO_PAYMENTS,
  type PaymentRate,
  type Velocity,
  velocityOf,
  withPayment,
} from './velocity.js';

const { startChance, days, share, amountFactor, otherFraudChance, likelihoodMax } =
  ASSUMPTIONS.leak;

/** What is remembered of one card; its size does not grow. */
export interface CardState {
  readonly amounts: AmountHistory;
  readonly rate: PaymentRate;
  readonly leak: LeakBelief;
  readonly lastFraudAt: number | undefined;
}

/** What the card's past says of one payment. */
export interface CardFeatures {
  /** Amount in parts of the card's mean. */
  readonly ratio: number;
  readonly usual: UsualAmount;
  /** How many past payments the usual amount rests on. */
  readonly known: number;
  readonly velocity: Velocity;
  /** Chance that the card is leaked, before this payment. */
  readonly leakChance: number;
  /** Chance that a thief pays, by the amount alone, as if nothing else were known of leaks. */
  readonly amountChance: number;
  /** Chance that a thief pays, by the amount and the chance of a leak. */
  readonly theftChance: number;
  /** When the last labelled fraud of the card was paid, epoch milliseconds. */
  readonly lastFraudAt: number | undefined;
}

export interface CardPayment<P extends Payment> {
  readonly payment: P;
  readonly card: CardFeatures;
}

/** A label, and the chance that its card alone (amount, leak) explains a fraud. */
export interface CardLabel {
  readonly label: Label;
  readonly explained: number;
}

export interface CardStep<Output> {
  readonly state: CardState;
  readonly output: Output;
}

/** Looks at a payment, then learns from it. Events of a card come in order of time. */
export function stepCardPayment<P extends Payment>(
  state: CardState | undefined,
  payment: P,
): CardStep<CardPayment<P>> {
  const day = dayOf(payment.at);
  const known = state ?? newCard(day);
  const leak = leakBeliefOn(known.leak, day);
  const rate = withPayment(known.rate, payment.at);
  const usual = usualAmount(known.amounts);
  const likelihood = likelihoodOf(usual, payment.amount);
  const leakChance = leakChanceOn(leak, day);
  const theftChance = theftChanceOf(leakChance, likelihood);
  const card: CardFeatures = {
    ratio: payment.amount / usual.mean,
    usual,
    known: known.amounts.weight,
    velocity: velocityOf(rate, payment.at),
    leakChance,
    amountChance: theftChanceOf(UNSUSPECTED, likelihood),
    theftChance,
    lastFraudAt: known.lastFraudAt,
  };
  return {
    state: {
      amounts: addAmount(known.amounts, payment.amount, 1 - theftChance),
      rate,
      leak: learnOfLeak(leak, day, paymentEvidence(likelihood)),
      lastFraudAt: known.lastFraudAt,
    },
    output: { payment, card },
  };
}

/** Learns the truth about a payment of a week ago. */
export function stepCardLabel(state: CardState | undefined, label: Label): CardStep<CardLabel> {
  const known = state ?? newCard(dayOf(label.at));
  const paidDay = dayOf(label.paidAt);
  const leak = leakBeliefOn(known.leak, dayOf(label.at));
  const likelihood = likelihoodOf(usualAmount(known.amounts), label.amount);
  // What the payment itself has taught is taken back first: the truth replaces the guess.
  const guessed = paymentEvidence(likelihood);
  const theftChance = theftChanceOf(weighed(leakChanceOn(leak, paidDay), 1 / guessed), likelihood);
  const high = label.amount > ASSUMPTIONS.amountLimit;
  const output = { label, explained: high ? 1 : theftChance };
  const news = labelEvidence(label.fraud, likelihood, high) / guessed;
  // Most labels confirm what was believed of an ordinary payment: they leave the state as it is.
  if (!label.fraud && news > 1 - NEWS_MIN && theftChance < NEWS_MIN)
    return { state: known, output };
  const weight = (label.fraud ? 0 : 1) - (1 - theftChance);
  const amounts = addAmount(known.amounts, label.amount, weight);
  return {
    state: {
      amounts,
      rate: known.rate,
      leak: learnOfLeak(leak, paidDay, news),
      lastFraudAt: label.fraud ? label.paidAt : known.lastFraudAt,
    },
    output,
  };
}

/** A label that changes the odds by a smaller part than this teaches nothing. */
const NEWS_MIN = 0.01;

/** Chance of a leak of a card of which nothing is known. */
const UNSUSPECTED = startChance * days;

function newCard(day: number): CardState {
  return {
    amounts: NO_AMOUNTS,
    rate: NO_PAYMENTS,
    leak: newLeakBelief(day),
    lastFraudAt: undefined,
  };
}

function likelihoodOf(usual: UsualAmount, amount: number): number {
  const likelihood = theftLikelihood(usual, amount, amountFactor);
  return Math.min(likelihoodMax, Math.max(1 / likelihoodMax, likelihood));
}

/** While a card is leaked, a share of its payments is the thief's. */
function paymentEvidence(likelihood: number): number {
  return 1 - share + share * likelihood;
}

function labelEvidence(fraud: boolean, likelihood: number, high: boolean): number {
  if (!fraud) return 1 - share;
  return (share * likelihood) / (high ? 1 : otherFraudChance);
}

function theftChanceOf(leakChance: number, likelihood: number): number {
  const theft = leakChance * share * likelihood;
  return theft / (1 - leakChance * share + theft);
}
