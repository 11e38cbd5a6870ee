import { csvSource, fromIterable, type RecordSchema } from '@millrace/connectors';
import type { Source } from '@millrace/core/spi';
import { simulate } from './model/simulate.js';
import { type Transaction, transactionProblem } from './transaction.js';

/** Columns that tell the truth about a transaction; a file may have both, one or none. */
export type TruthColumn = 'fraud' | 'scenario';

/** Where transactions come from. */
export interface InputParams {
  /** A CSV file, plain or `.gz`; empty: transactions are simulated. */
  readonly input: string;
  /** Which of these columns the file has. */
  readonly truth: readonly TruthColumn[];
  /** What is simulated. */
  readonly seed: number;
  readonly cards: number;
  readonly terminals: number;
  readonly days: number;
}

/** The columns that a file must have. */
export const PAYMENT_COLUMNS = {
  id: 'string',
  at: 'integer',
  card: 'string',
  terminal: 'string',
  amount: 'number',
} as const;

/** The columns that it may have. */
export const TRUTH_COLUMNS = { fraud: 'boolean?', scenario: 'integer?' } as const;

/** Transactions in the order of the file or of the simulation; each reader gets all of them. */
export function transactionSource(params: InputParams): Source<Transaction> {
  const { input, truth, seed, cards, terminals, days } = params;
  if (input === '') {
    return fromIterable(() => simulate({ seed, cards, terminals, days }), { repeats: true });
  }
  const told = Object.fromEntries(truth.map((column) => [column, TRUTH_COLUMNS[column]]));
  return csvSource({
    path: input,
    columns: { ...PAYMENT_COLUMNS, ...told },
    schema: transactionSchema,
  });
}

/** The columns are converted by then; what is left are values that no transaction has. */
export const transactionSchema: RecordSchema<Transaction> = {
  '~standard': {
    version: 1,
    vendor: 'millrace-example-fraud',
    validate(row) {
      const transaction = row as Transaction;
      const found = transactionProblem(transaction);
      if (found === undefined) return { value: transaction };
      return { issues: [{ message: found.problem, path: [found.column] }] };
    },
  },
};
