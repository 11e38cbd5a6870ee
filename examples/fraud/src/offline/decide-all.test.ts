import { describe, expect, it } from 'vitest';
import { type Investigated, isInvestigated, type Label, labelOf } from '../label.js';
import { simulate } from '../model/simulate.js';
import { SummaryCounter } from '../summary.js';
import type { Transaction } from '../transaction.js';
import { decideAll } from './decide-all.js';

const transactions = [...simulate({ seed: 11, cards: 400, terminals: 900, days: 45 })];
const CUT_MS = transactions[Math.floor(transactions.length * 0.7)]!.at;

function decisions(
  input: readonly Transaction[],
  toLabel: (transaction: Transaction) => Label | undefined = labelIfAny,
): readonly string[] {
  return [...decideAll(input, toLabel)].map(({ alert }) => JSON.stringify(alert) ?? '');
}

function labelIfAny(transaction: Transaction): Label | undefined {
  return isInvestigated(transaction) ? labelOf(transaction) : undefined;
}

describe('decisions', () => {
  const expected = decisions(transactions);
  const earlier = transactions.filter(({ at }) => at < CUT_MS).length;

  it('do not depend on labels that come later', () => {
    const changed = decisions(transactions, (transaction) => {
      const label = labelOf(transaction as Investigated);
      return label.at < CUT_MS ? label : { ...label, fraud: !label.fraud };
    });
    expect(changed.slice(0, earlier)).toEqual(expected.slice(0, earlier));
    // Otherwise the test would say nothing: afterwards the labels do matter.
    expect(changed).not.toEqual(expected);
  });

  it('do not depend on later transactions', () => {
    expect(decisions(transactions.slice(0, earlier))).toEqual(expected.slice(0, earlier));
  });

  it('never see the truth but through labels', () => {
    const blind = transactions.map(({ fraud: _, scenario: __, ...payment }) => payment);
    const truths = new Map(transactions.map((transaction) => [transaction.id, transaction]));
    expect(decisions(blind, ({ id }) => labelIfAny(truths.get(id)!))).toEqual(expected);
  });

  it('use a label from the millisecond in which it is known', () => {
    const first: Transaction = {
      id: '1',
      at: 0,
      card: 'a',
      terminal: 't',
      amount: 20,
      fraud: true,
    };
    const known = 7 * 86_400_000;
    const second = { ...first, id: '2', at: 60_000, card: 'b' };
    const early = { ...first, id: '3', at: known + 59_999, card: 'd' };
    const exact = { ...early, at: known + 60_000 };
    const rows = (last: Transaction) =>
      [...decideAll([first, second, last])].at(-1)?.alert?.findings[0]?.numbers.fraudsInARow;
    expect(rows(early)).not.toBe(2);
    expect(rows(exact)).toBe(2);
  });

  it('work without any labels, with nothing to compare them to', () => {
    const counter = new SummaryCounter();
    const blind = transactions.map(({ fraud: _, scenario: __, ...payment }) => payment);
    for (const { transaction, alert } of decideAll(blind)) {
      counter.add(transaction, alert === undefined ? 'pass' : 'alert');
    }
    const summary = counter.result(1);
    expect(summary.alerts).toBeGreaterThan(0);
    expect(summary).toMatchObject({ precision: null, recall: null });
  });
});
