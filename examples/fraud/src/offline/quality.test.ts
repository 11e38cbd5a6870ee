import { describe, expect, it } from 'vitest';
import { simulate } from '../model/simulate.js';
import { SummaryCounter } from '../summary.js';
import { decideAll } from './decide-all.js';

describe('quality', () => {
  it('catches most of each scenario at the Handbook scale in its first two months', () => {
    const counter = new SummaryCounter();
    for (const { transaction, alert } of decideAll(simulate({ seed: 4, days: 45 }))) {
      counter.add(transaction, alert === undefined ? 'pass' : 'alert');
    }
    const { scenarios, precision } = counter.result(1);
    const share = (name: string) => scenarios[name]!.caught! / scenarios[name]!.frauds!;
    expect(share('1')).toBe(1);
    expect(share('2')).toBeGreaterThan(0.6);
    expect(share('3')).toBeGreaterThan(0.8);
    expect(precision).toBeGreaterThan(0.85);
  }, 60_000);
});
