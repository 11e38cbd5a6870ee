import { describe, expect, it } from 'vitest';
import { scoreOf } from './decide.js';
import type { Cause, Finding } from './rule.js';

function finding(cause: Cause, chance: number): Finding {
  return { rule: 'card-amount', cause, chance, text: '', numbers: {} };
}

describe('the score', () => {
  it('takes the strongest finding of a cause', () => {
    expect(scoreOf([finding('card', 0.3), finding('card', 0.6)])).toBeCloseTo(0.6);
  });

  it('combines causes as independent', () => {
    expect(scoreOf([finding('card', 0.5), finding('terminal', 0.5)])).toBeCloseTo(0.75);
  });

  it('stays within 0 and 1', () => {
    expect(scoreOf([])).toBe(0);
    expect(scoreOf([finding('amount', 1), finding('card', 0.9)])).toBe(1);
  });
});
