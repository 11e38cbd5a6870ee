import { ASSUMPTIONS } from '../assumptions.js';
import { DAY_MS, dayOf } from '../day.js';
import type { Payment } from '../transaction.js';
import type { CardFeatures, CardLabel, CardPayment } from './card.js';
import {
  addFraud,
  addGenuine,
  compromiseChance,
  copyFraudRun,
  type FraudRun,
  newFraudRun,
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

/** What is remembered of one terminal: plain data, changed in place, of bounded size. */
export interface TerminalState {
  readonly run: FraudRun;
  readonly labels: TrailingCounts;
  readonly frauds: TrailingCounts;
}

/** What the terminal's labels say of a payment. */
interface TerminalFeatures {
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

/** A terminal of which nothing is known at `atMs`. */
export function newTerminal(atMs: number): TerminalState {
  return {
    run: newFraudRun(dayOf(atMs)),
    labels: emptyCounts(FOUR_WEEKS),
    frauds: emptyCounts(FOUR_WEEKS),
  };
}

/** A copy that the steps leave as it is. */
export function copyTerminal({ run, labels, frauds }: TerminalState): TerminalState {
  return { run: copyFraudRun(run), labels: labels.slice(), frauds: frauds.slice() };
}

/** Adds what is known of the terminal. Only labels teach, so the state stays as it is. */
export function stepTerminalPayment<P extends Payment>(
  { run, labels, frauds }: TerminalState,
  { payment, card }: CardPayment<P>,
): Evidence<P> {
  const { at } = payment;
  let fraudsInARow = 0;
  for (const { count } of run.frauds) fraudsInARow += count;
  const terminal: TerminalFeatures = {
    compromiseChance: compromiseChance(run, dayOf(at)),
    labels: sumCounts(labels, FOUR_WEEKS, at),
    frauds: sumCounts(frauds, FOUR_WEEKS, at),
    fraudsInARow,
    rowFromDay: run.frauds[0]?.day,
    rowToDay: run.frauds.at(-1)?.day,
  };
  return { payment, card, terminal };
}

/**
 * Learns the truth about a payment of a week ago. Labels of a terminal come in order of time. A
 * fraud that its card explains says little here.
 */
export function stepTerminalLabel(state: TerminalState, { label, explained }: CardLabel): void {
  const day = dayOf(label.paidAt);
  countOne(state.labels, FOUR_WEEKS, label.at);
  if (!label.fraud) {
    addGenuine(state.run, day);
    return;
  }
  addFraud(state.run, day, Math.min(1, explained + otherFraudChance));
  countOne(state.frauds, FOUR_WEEKS, label.at);
}
