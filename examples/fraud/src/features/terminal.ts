import { ASSUMPTIONS } from '../assumptions.js';
import { DAY_MS, dayOf } from '../day.js';
import type { Payment } from '../transaction.js';
import type { CardFeatures, CardLabel, CardPayment } from './card.js';
import {
  compromiseChance,
  type FraudRun,
  newFraudRun,
  withFraud,
  withGenuine,
} from './compromise.js';
import {
  countOne,
  emptyCounts,
  sumCounts,
  type TrailingCounts,
  type TrailingWindow,
} from './trailing-counts.js';

const { otherFraudChance } = ASSUMPTIONS.terminal;

const FOUR_WEEKS: TrailingWindow = { slotMs: 7 * DAY_MS, slots: 4 };

/** What is remembered of one terminal; its size does not grow. */
export interface TerminalState {
  readonly run: FraudRun;
  readonly labels: TrailingCounts;
  readonly frauds: TrailingCounts;
}

/** What the terminal's labels say of a payment. */
export interface TerminalFeatures {
  /** Chance that the terminal is compromised. */
  readonly compromiseChance: number;
  /** Payments labelled within about four weeks, and frauds among them. */
  readonly labels: number;
  readonly frauds: number;
  /**
   * Labelled frauds since the last payment labelled genuine, and the days of the first and last.
   */
  readonly fraudsInARow: number;
  readonly rowFromDay: number | undefined;
  readonly rowToDay: number | undefined;
}

/** A payment with all that is known about it. */
export interface Evidence<P extends Payment> {
  readonly payment: P;
  readonly card: CardFeatures;
  readonly terminal: TerminalFeatures;
}

/** Adds what is known of the terminal. Only labels teach, so there is no new state. */
export function stepTerminalPayment<P extends Payment>(
  state: TerminalState | undefined,
  { payment, card }: CardPayment<P>,
): Evidence<P> {
  const day = dayOf(payment.at);
  const { run, labels, frauds } = state ?? newTerminal(day);
  const terminal: TerminalFeatures = {
    compromiseChance: compromiseChance(run, day),
    labels: sumCounts(labels, FOUR_WEEKS, payment.at),
    frauds: sumCounts(frauds, FOUR_WEEKS, payment.at),
    fraudsInARow: run.frauds.reduce((sum, { count }) => sum + count, 0),
    rowFromDay: run.frauds[0]?.day,
    rowToDay: run.frauds.at(-1)?.day,
  };
  return { payment, card, terminal };
}

/**
 * Learns the truth about a payment of a week ago. Labels of a terminal come in order of time. A
 * fraud that its card explains says little here.
 */
export function stepTerminalLabel(
  state: TerminalState | undefined,
  { label, explained }: CardLabel,
): TerminalState {
  const known = state ?? newTerminal(dayOf(label.paidAt));
  const day = dayOf(label.paidAt);
  const labels = countOne(known.labels, FOUR_WEEKS, label.at);
  if (!label.fraud) return { run: withGenuine(known.run, day), labels, frauds: known.frauds };
  return {
    run: withFraud(known.run, day, Math.min(1, explained + otherFraudChance)),
    labels,
    frauds: countOne(known.frauds, FOUR_WEEKS, label.at),
  };
}

function newTerminal(day: number): TerminalState {
  return {
    run: newFraudRun(day),
    labels: emptyCounts(FOUR_WEEKS),
    frauds: emptyCounts(FOUR_WEEKS),
  };
}
