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

/** A transaction whose truth will become known. */
export type Investigated = Transaction & { readonly fraud: boolean };

export function isInvestigated(transaction: Transaction): transaction is Investigated {
  return typeof transaction.fraud === 'boolean';
}

/** The label that a transaction will get. */
export function labelOf(transaction: Investigated): Label {
  const { id, at, card, terminal, amount, fraud } = transaction;
  return { id, at: at + LABEL_DELAY_MS, paidAt: at, card, terminal, amount, fraud };
}
