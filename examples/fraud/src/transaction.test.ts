import { describe, expect, it } from 'vitest';
import { parseTransaction } from './transaction.js';

const row = { id: '7', at: '1522540800000', card: 'c1', terminal: 't2', amount: '12.50' };

describe('parseTransaction', () => {
  it('reads a row with and without the truth', () => {
    const known = { id: '7', at: 1_522_540_800_000, card: 'c1', terminal: 't2', amount: 12.5 };
    expect(parseTransaction(row)).toEqual(known);
    expect(parseTransaction({ ...row, fraud: '', scenario: '' })).toEqual(known);
    const labelled = { ...known, fraud: true, scenario: 2 };
    expect(parseTransaction({ ...row, fraud: '1', scenario: '2' })).toEqual(labelled);
    const genuine = { ...known, fraud: false };
    expect(parseTransaction({ ...row, fraud: 'false' })).toEqual(genuine);
  });

  it.each([
    ['id', '', 'column "id" should be a text that is not empty, found ""'],
    ['at', '2018-04-01', 'column "at" should be epoch milliseconds (an integer)'],
    ['amount', '12,5', 'column "amount" should be a number that is not negative, found "12,5"'],
    ['amount', '-1', 'column "amount"'],
    ['amount', 'Infinity', 'column "amount"'],
    ['fraud', 'yes', 'column "fraud" should be 0, 1, true or false, found "yes"'],
    ['scenario', '1.5', 'column "scenario"'],
  ])('refuses %s = %j', (column, value, message) => {
    expect(() => parseTransaction({ ...row, [column]: value })).toThrow(message);
  });

  it('names a column that is missing', () => {
    const { card: _, ...rest } = row;
    expect(() => parseTransaction(rest)).toThrow('column "card"');
    expect(() => parseTransaction(rest)).toThrow('no such column');
  });
});
