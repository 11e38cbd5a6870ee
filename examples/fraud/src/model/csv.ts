import type { Transaction } from '../transaction.js';

/** First line of a file of transactions. */
export const CSV_HEADER = 'id,at,card,terminal,amount,fraud,scenario';

/** One line of such a file. Simulated names need no quotes. */
export function csvLine(transaction: Transaction): string {
  const { id, at, card, terminal, amount, fraud, scenario } = transaction;
  return `${id},${at},${card},${terminal},${amount.toFixed(2)},${fraud ? 1 : 0},${scenario ?? 0}`;
}
