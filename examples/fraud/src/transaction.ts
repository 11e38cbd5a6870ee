/** What is known of a card payment when it happens: all that a decision may look at. */
export interface Payment {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly card: string;
  readonly terminal: string;
  readonly amount: number;
}

/**
 * A payment with the truth about it, where the input has it. Features and rules take `Payment`, so
 * that the compiler keeps the truth out of decisions; only labels (a week late) and the summary
 * read it.
 */
export interface Transaction extends Payment {
  /** Null or missing where the input does not tell. */
  readonly fraud?: boolean | null | undefined;
  /** 0 genuine, 1 high amount, 2 compromised terminal, 3 leaked card. */
  readonly scenario?: number | null | undefined;
}

/** What is wrong with a transaction, and the column it is wrong in; `undefined` when nothing is. */
export function transactionProblem(
  transaction: Transaction,
): { readonly column: keyof Transaction; readonly problem: string } | undefined {
  for (const column of ['id', 'card', 'terminal'] as const) {
    if (transaction[column] === '') return { column, problem: 'should not be empty' };
  }
  const { amount, scenario } = transaction;
  if (!(amount >= 0)) {
    return { column: 'amount', problem: `should not be negative, found ${amount}` };
  }
  if (typeof scenario === 'number' && scenario < 0) {
    return { column: 'scenario', problem: `should be 0 or a scenario, found ${scenario}` };
  }
  return undefined;
}
