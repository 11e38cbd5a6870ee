import { describe, expect, it } from 'vitest';
import { SummaryCounter } from './summary.js';
import type { Transaction } from './transaction.js';

const payment: Transaction = { id: '1', at: 0, card: 'c', terminal: 't', amount: 1 };

describe('SummaryCounter', () => {
  it('counts what was caught by scenario', () => {
    const counter = new SummaryCounter();
    counter.add({ ...payment, fraud: true, scenario: 2 }, 'alert');
    counter.add({ ...payment, fraud: true, scenario: 2 }, 'pass');
    counter.add({ ...payment, fraud: true, scenario: 1 }, 'alert');
    counter.add({ ...payment, fraud: false, scenario: 0 }, 'alert');
    counter.add({ ...payment, fraud: false, scenario: 0 }, 'pass');
    expect(counter.result(10)).toEqual({
      transactions: 5,
      alerts: 3,
      precision: 2 / 3,
      recall: 2 / 3,
      scenarios: {
        '1': { frauds: 1, caught: 1 },
        '2': { frauds: 2, caught: 1 },
        '3': { frauds: 0, caught: 0 },
      },
      wallMs: 10,
      eventsPerSecond: 500,
    });
  });

  it('has no shares where the input has no labels', () => {
    const counter = new SummaryCounter();
    counter.add(payment, 'alert');
    expect(counter.result(0)).toMatchObject({ precision: null, recall: null });
    const unknown = { frauds: null, caught: null };
    expect(counter.result(0).scenarios).toEqual({ '1': unknown, '2': unknown, '3': unknown });
  });
});
