import { describe, expect, it } from 'vitest';
import { type Transaction, transactionProblem } from './transaction.js';

const transaction: Transaction = { id: '7', at: 0, card: 'c1', terminal: 't2', amount: 12.5 };

describe('transactionProblem', () => {
  it.each<Partial<Transaction>>([
    {},
    { amount: 0 },
    { fraud: null, scenario: null },
    { fraud: true, scenario: 2 },
  ])('finds none in %j', (fields) => {
    expect(transactionProblem({ ...transaction, ...fields })).toBeUndefined();
  });

  it.each<readonly [keyof Transaction, unknown]>([
    ['id', ''],
    ['card', ''],
    ['terminal', ''],
    ['amount', -1],
    ['amount', Number.NaN],
    ['scenario', -1],
  ])('names the column %s when it is %j', (column, value) => {
    expect(transactionProblem({ ...transaction, [column]: value })).toMatchObject({ column });
  });
});
