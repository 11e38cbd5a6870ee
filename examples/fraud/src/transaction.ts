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
  readonly fraud?: boolean;
  /** 0 genuine, 1 high amount, 2 compromised terminal, 3 leaked card. */
  readonly scenario?: number;
}

/**
 * Reads one CSV row given by column name. Throws an `Error` that names the column and the value
 * when the row is not a transaction. `fraud` and `scenario` may be missing or empty.
 */
export function parseTransaction(row: Readonly<Record<string, string>>): Transaction {
  const fraud = parseFraud(row.fraud);
  const scenario = parseScenario(row.scenario);
  return {
    id: text(row, 'id'),
    at: epochMs(row),
    card: text(row, 'card'),
    terminal: text(row, 'terminal'),
    amount: amount(row),
    ...(fraud === undefined ? {} : { fraud }),
    ...(scenario === undefined ? {} : { scenario }),
  };
}

function text(row: Readonly<Record<string, string>>, column: string): string {
  const value = row[column];
  if (value === undefined || value === '') throw invalid(column, value, 'a text that is not empty');
  return value;
}

function epochMs(row: Readonly<Record<string, string>>): number {
  const value = text(row, 'at');
  const at = Number(value);
  if (!Number.isSafeInteger(at)) throw invalid('at', value, 'epoch milliseconds (an integer)');
  return at;
}

function amount(row: Readonly<Record<string, string>>): number {
  const value = text(row, 'amount');
  const number = Number(value);
  if (!(number >= 0 && number < Number.POSITIVE_INFINITY)) {
    throw invalid('amount', value, 'a number that is not negative');
  }
  return number;
}

function parseFraud(value: string | undefined): boolean | undefined {
  if (value === undefined || value === '') return undefined;
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw invalid('fraud', value, '0, 1, true or false');
}

function parseScenario(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const scenario = Number(value);
  if (Number.isInteger(scenario) && scenario >= 0) return scenario;
  throw invalid('scenario', value, '0 or the number of a scenario');
}

function invalid(column: string, value: string | undefined, expected: string): Error {
  const found = value === undefined ? 'no such column' : JSON.stringify(value);
  return new Error(`not a transaction: column "${column}" should be ${expected}, found ${found}`);
}
