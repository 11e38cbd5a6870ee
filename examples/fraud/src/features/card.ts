import { ASSUMPTIONS } from '../assumptions.js';
import { dayOf } from '../day.js';
import type { Label } from '../label.js';
import type { Payment } from '../transaction.js';
import {
  type AmountHistory,
  addAmount,
  newAmounts,
  theftLikelihood,
  type UsualAmount,
  usualAmount,
} from './amount-history.js';
import {
  copyLeakBelief,
  type LeakBelief,
  leakChanceOn,
  learnOfLeak,
  moveOn,
  newLeakBelief,
  weighed,
} from './leak.js';
import {
  copyRate,
  countPayment,
  newRate,
  type PaymentRate,
  type Velocity,
  velocityOf,
} from './velocity.js';

const { startChance, days, share, amountFactor, otherFraudChance, likelihoodMax } =
  ASSUMPTIONS.leak;

/** What is remembered of one card: plain data that the steps change in place and never grow. */
export interface CardState {
  readonly amounts: AmountHistory;
  readonly rate: PaymentRate;
  readonly leak: LeakBelief;
  lastFraudAt: number | undefined;
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

/** A card of which nothing is known at `atMs`. */
export function newCard(atMs: number): CardState {
  return {
    amounts: newAmounts(),
    rate: newRate(),
    leak: newLeakBelief(dayOf(atMs)),
    lastFraudAt: undefined,
  };
}

/** A copy that the steps leave as it is. */
export function copyCard({ amounts, rate, leak, lastFraudAt }: CardState): CardState {
  return {
    amounts: { ...amounts },
    rate: copyRate(rate),
    leak: copyLeakBelief(leak),
    lastFraudAt,
  };
}

/** Looks at a payment, then learns from it. Events of a card come in order of time. */
export function stepCardPayment<P extends Payment>(state: CardState, payment: P): CardPayment<P> {
  const { at, amount } = payment;
  const { amounts, rate, leak } = state;
  const day = dayOf(at);
  moveOn(leak, day);
  countPayment(rate, at);
  const usual = usualAmount(amounts);
  const likelihood = likelihoodOf(usual, amount);
  const leakChance = leakChanceOn(leak, day);
  const theftChance = theftChanceOf(leakChance, likelihood);
  const card: CardFeatures = {
    ratio: amount / usual.mean,
    usual,
    known: amounts.weight,
    velocity: velocityOf(rate, at),
    leakChance,
    amountChance: theftChanceOf(UNSUSPECTED, likelihood),
    theftChance,
    lastFraudAt: state.lastFraudAt,
  };
  addAmount(amounts, amount, 1 - theftChance);
  learnOfLeak(leak, day, paymentEvidence(likelihood));
  return { payment, card };
}

/** Learns the truth about a payment of a week ago. */
export function stepCardLabel(state: CardState, label: Label): CardLabel {
  const { amounts, leak } = state;
  const { fraud, amount } = label;
  const today = dayOf(label.at);
  const paidDay = dayOf(label.paidAt);
  const likelihood = likelihoodOf(usualAmount(amounts), amount);
  // What the payment itself has taught is taken back first: the truth replaces the guess.
  const guessed = paymentEvidence(likelihood);
  const leakChance = weighed(leakChanceOn(leak, paidDay, today), 1 / guessed);
  const theftChance = theftChanceOf(leakChance, likelihood);
  const high = amount > ASSUMPTIONS.amountLimit;
  const output = { label, explained: high ? 1 : theftChance };
  const news = labelEvidence(fraud, likelihood, high) / guessed;
  // Most labels confirm what was believed of an ordinary payment: they leave the state as it is.
  if (!fraud && news > 1 - NEWS_MIN && theftChance < NEWS_MIN) return output;
  addAmount(amounts, amount, (fraud ? 0 : 1) - (1 - theftChance));
  moveOn(leak, today);
  learnOfLeak(leak, paidDay, news);
  if (fraud) state.lastFraudAt = label.paidAt;
  return output;
}

/** A label that changes the odds by a smaller part than this teaches nothing. */
const NEWS_MIN = 0.01;

/** Chance of a leak of a card of which nothing is known. */
const UNSUSPECTED = startChance * days;

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
