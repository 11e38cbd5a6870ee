import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../day.js';
import { decideAll } from '../offline/decide-all.js';
import type { Transaction } from '../transaction.js';
import type { Alert } from './decide.js';

const START_MS = Date.UTC(2018, 3, 1, 12);
let nextId = 0;

function pay(day: number, fields: Partial<Transaction> = {}): Transaction {
  nextId += 1;
  const at = START_MS + day * DAY_MS;
  return { id: String(nextId), at, card: 'c', terminal: 't', amount: 20, ...fields };
}

/** A month of ordinary payments of one card, each at a terminal of its own. */
function habits(card: string): readonly Transaction[] {
  const amounts = [14, 22, 27, 11, 20, 26, 20];
  return Array.from({ length: 30 }, (_, day) =>
    pay(day, { card, terminal: `own-${card}-${day}`, amount: amounts[day % 7]!, fraud: false }),
  );
}

function decideLast(transactions: readonly Transaction[]): Alert | undefined {
  const sorted = [...transactions].sort((left, right) => left.at - right.at);
  return [...decideAll(sorted)].at(-1)?.alert;
}

function rulesOf(alert: Alert | undefined): readonly string[] {
  return alert?.findings.map(({ rule }) => rule) ?? [];
}

describe('rules', () => {
  it('pass an ordinary payment', () => {
    expect(decideLast([...habits('c'), pay(31, { amount: 25 })])).toBeUndefined();
    expect(decideLast([pay(0)])).toBeUndefined();
  });

  it('amount-limit: above 220, not at it', () => {
    expect(rulesOf(decideLast([pay(0, { amount: 220.01 })]))).toContain('amount-limit');
    expect(rulesOf(decideLast([pay(0, { amount: 220 })]))).not.toContain('amount-limit');
  });

  it('card-amount: far above what the card usually pays, with the numbers', () => {
    const alert = decideLast([...habits('c'), pay(31, { amount: 100 })]);
    expect(rulesOf(alert)).toEqual(['card-amount']);
    expect(alert?.findings[0]?.numbers.ratio).toBeGreaterThan(4);
    expect(alert?.findings[0]?.text).toMatch(/^amount 100\.00 is \d\.\d times the card's usual/);
  });

  it('card-leak: a smaller excess is enough once the card looks leaked', () => {
    const modest = { amount: 48 };
    expect(decideLast([...habits('c'), pay(32, modest)])).toBeUndefined();
    const leaked = [pay(31, { amount: 110 }), pay(31.1, { amount: 90 })];
    const alert = decideLast([...habits('c'), ...leaked, pay(32, modest)]);
    expect(rulesOf(alert)).toContain('card-leak');
  });

  it('card-leak: labels which find the suspects genuine end the watch', () => {
    const rules = (truth: Partial<Transaction>) => {
      const suspects = [110, 90, 95].map((amount, index) =>
        pay(31 + index / 10, { amount, ...truth }),
      );
      return rulesOf(decideLast([...habits('c'), ...suspects, pay(39, { amount: 60 })]));
    };
    expect(rules({})).toContain('card-leak');
    expect(rules({ fraud: false })).not.toContain('card-leak');
  });

  it('card-velocity: many payments in an hour', () => {
    const burst = Array.from({ length: 12 }, (_, index) => pay(31 + index / 1_000));
    const alert = decideLast([...habits('c'), ...burst]);
    expect(rulesOf(alert)).toEqual(['card-velocity']);
    expect(alert?.findings[0]?.numbers).toMatchObject({ count: 12, hours: 1 });
  });

  it('terminal-risk: labelled frauds that nothing explains, a week after the first', () => {
    const cards = ['a', 'b', 'd'];
    const frauds = cards.map((card, index) =>
      pay(32 + index, { card, terminal: 'x', fraud: true }),
    );
    const history = [...cards, 'c'].flatMap(habits);
    const before = [...history, ...frauds, pay(38, { terminal: 'x' })];
    expect(decideLast(before)).toBeUndefined();
    const alert = decideLast([...history, ...frauds, pay(42, { terminal: 'x' })]);
    expect(rulesOf(alert)).toEqual(['terminal-risk']);
    expect(alert?.findings[0]?.numbers).toMatchObject({ labels: 3, frauds: 3, fraudsInARow: 3 });
    const genuine = pay(35, { card: 'a', terminal: 'x', fraud: false });
    expect(
      decideLast([...history, ...frauds, genuine, pay(43, { terminal: 'x' })]),
    ).toBeUndefined();
  });
});
