import { expect, test } from 'vitest';
import { simulate } from '../model/simulate.js';
import { decideAll } from '../offline/decide-all.js';
import { compare } from './check.js';

const transactions = [...simulate({ seed: 3, cards: 300, terminals: 600, days: 20 })];
const alerts = [...decideAll(transactions)].flatMap(({ alert }) => alert ?? []);

test('all alerts once are right, and so is a beginning of them', () => {
  expect(alerts.length).toBeGreaterThan(10);
  const right = { transactions: transactions.length, lost: 0, doubled: 0, wrong: 0 };
  expect(compare(transactions, alerts)).toEqual({ ...right, alerts: alerts.length });
  expect(compare(transactions, alerts.slice(0, -4))).toEqual({
    ...right,
    alerts: alerts.length - 4,
  });
  expect(compare(transactions, [])).toEqual({ ...right, alerts: 0 });
});

test('what is lost, doubled or wrong is counted', () => {
  const [first, second, third, ...others] = alerts;
  const changed = { ...third!, score: 0 };
  expect(compare(transactions, [first!, first!, changed, ...others])).toMatchObject({
    lost: 1,
    doubled: 1,
    wrong: 1,
  });
  expect(second).toBeDefined();
});
