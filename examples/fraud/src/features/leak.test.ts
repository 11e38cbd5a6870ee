import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leakChanceOn, learnOfLeak, moveOn, newLeakBelief } from './leak.js';

const day = fc.integer({ min: 0, max: 30 });
const observation = fc.record({
  passed: day,
  late: day,
  evidence: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
});

describe('the belief in a leak', () => {
  it('stays a distribution of bounded size whatever is observed', () => {
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 100 }), (observations) => {
        const belief = newLeakBelief(100);
        for (const { passed, late, evidence } of observations) {
          const ahead = leakChanceOn(belief, belief.today, belief.today + passed);
          const day = belief.today;
          moveOn(belief, belief.today + passed);
          expect(leakChanceOn(belief, day)).toBe(ahead);
          learnOfLeak(belief, belief.today - late, evidence);
          const sum = belief.begun.reduce((total, chance) => total + chance, belief.none);
          expect(sum).toBeCloseTo(1, 6);
          expect(belief.begun).toHaveLength(21);
        }
      }),
    );
  });

  it('grows with evidence, lasts two weeks, and yields to contrary evidence', () => {
    const belief = newLeakBelief(100);
    learnOfLeak(belief, 100, 1e5);
    expect(leakChanceOn(belief, 100)).toBeGreaterThan(0.99);
    expect(leakChanceOn(belief, 105, 105)).toBeGreaterThan(0.5);
    expect(leakChanceOn(belief, 114, 114)).toBeLessThan(0.02);
    moveOn(belief, 107);
    learnOfLeak(belief, 100, 1e-5);
    expect(leakChanceOn(belief, 107)).toBeLessThan(0.02);
  });
});
