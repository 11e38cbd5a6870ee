import { DAY_MS } from './day.js';
import type { Transaction } from './transaction.js';

/**
 * How long after a payment its label becomes known: investigations and complaints take this long.
 */
export const LABEL_DELAY_MS = 7 * DAY_MS;

/** The outcome of an investigation: the payment it is about, and whether it was a fraud. */
export interface Label {
  readonly id: string;
  /** Epoch milliseconds at which the label becomes known. */
  readonly at: number;
  /** Epoch milliseconds of the payment itself. */
  readonly paidAt: number;
  readonly card: string;
  readonly terminal: string;
  readonly amount: number;
  readonly fraud: boolean;
}

/** The label a transaction will get, or `undefined` where the input has no truth. */
export function labelOf(transaction: Transaction): Label | undefined {
  if (transaction.fraud === undefined) return undefined;
  return {
    id: transaction.id,
    at: transaction.at + LABEL_DELAY_MS,
    paidAt: transaction.at,
    card: transaction.card,
    terminal: transaction.terminal,
    amount: transaction.amount,
    fraud: transaction.fraud,
  };
}
