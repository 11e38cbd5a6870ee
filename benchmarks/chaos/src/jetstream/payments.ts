/** A record of the input; all of it follows from its number. */
export interface Payment {
  readonly n: number;
  readonly card: number;
  readonly amount: number;
  /** Event time, epoch ms. */
  readonly at: number;
  /** Nothing comes behind it, and it counts for nothing. */
  readonly last?: true;
}

/** A row of the output: what a card spent in a window. */
export interface Row {
  readonly card: number;
  readonly start: number;
  readonly n: number;
  readonly total: number;
}

/** Payments a second, of event time and, while the server is up, of the clock. */
export const paymentsPerSecond = 2_000;
export const windowMs = 4_000;
export const windowSlideMs = 1_000;

/** So many that a window's rows do not fit into one atomic batch. */
const cards = 1_200;
const startMs = Date.UTC(2026, 0, 1);

export function paymentOf(n: number): Payment {
  // Spread over the cards like random ones (Knuth's multiplicative hash).
  const card = (Math.imul(n, 2_654_435_761) >>> 0) % cards;
  return {
    n,
    card,
    amount: (n * 37) % 1_000,
    at: startMs + Math.floor(n / (paymentsPerSecond / 1_000)),
  };
}

/** The rows of the first so many payments: a slow and obvious model. */
export function expectedRows(count: number): Row[] {
  const rows = new Map<string, { card: number; start: number; n: number; total: number }>();
  for (let n = 0; n < count; n += 1) {
    const { card, amount, at } = paymentOf(n);
    const last = Math.floor(at / windowSlideMs) * windowSlideMs;
    for (let start = last; start > at - windowMs; start -= windowSlideMs) {
      const key = `${card} ${start}`;
      const row = rows.get(key) ?? { card, start, n: 0, total: 0 };
      row.n += 1;
      row.total += amount;
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}

/** The same text for the same row, wherever it comes from. */
export const lineOf = ({ card, start, n, total }: Row): string => `${card} ${start} ${n} ${total}`;
