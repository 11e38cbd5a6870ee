import { describe, expect, it } from 'vitest';
import type { Transaction } from '../transaction.js';
import { simulate, simulateDays } from './simulate.js';

const small = { seed: 1, cards: 200, terminals: 2_000, days: 5 };

describe('the simulation', () => {
  it('gives the same transactions for the same seed and others for another', () => {
    const first = [...simulate(small)];
    expect([...simulate(small)]).toEqual(first);
    expect([...simulate({ ...small, seed: 2 })]).not.toEqual(first);
  });

  it('only adds to them when there are more days', () => {
    const short = [...simulate(small)];
    expect([...simulate({ ...small, days: 8 })].slice(0, short.length)).toEqual(short);
  });

  it('is sorted by time, numbered, and within its days', () => {
    const startMs = Date.UTC(2020, 0, 1);
    let last = startMs;
    let id = 0;
    for (const transaction of simulate({ ...small, startMs })) {
      expect(transaction.at).toBeGreaterThanOrEqual(last);
      expect(transaction.id).toBe(String(id));
      last = transaction.at;
      id += 1;
    }
    expect(last).toBeLessThan(startMs + 5 * 86_400_000);
  });

  it('has the rates and frauds of its description', () => {
    const days = [...simulateDays({ seed: 3, days: 60 })].slice(30);
    const transactions = days.flat();
    expect(transactions.length / days.length).toBeGreaterThan(9_200);
    expect(transactions.length / days.length).toBeLessThan(10_000);
    const counts = countScenarios(transactions);
    const perDay = counts.map((count) => count / days.length);
    // 56 terminals are compromised at about one payment a day, 42 cards are leaked at two.
    expect(perDay[2]).toBeGreaterThan(40);
    expect(perDay[2]).toBeLessThan(70);
    expect(perDay[3]).toBeGreaterThan(18);
    expect(perDay[3]).toBeLessThan(38);
    for (const { amount, scenario } of transactions) {
      if (amount > 220) expect(scenario).toBeGreaterThan(0);
      if (scenario === 1) expect(amount).toBeGreaterThan(220);
    }
  });
});

function countScenarios(transactions: readonly Transaction[]): readonly number[] {
  const counts = [0, 0, 0, 0];
  for (const { scenario, fraud } of transactions) {
    expect(fraud).toBe(scenario !== 0);
    counts[scenario ?? 0]! += 1;
  }
  return counts;
}
