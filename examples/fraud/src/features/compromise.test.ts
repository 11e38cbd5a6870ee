import { describe, expect, it } from 'vitest';
import { addFraud, addGenuine, compromiseChance, newFraudRun } from './compromise.js';

const unexplained = 3e-4;

function runOf(cleared: number, fraudDays: readonly number[]) {
  const run = newFraudRun(cleared);
  addGenuine(run, cleared);
  for (const day of fraudDays) addFraud(run, day, unexplained);
  return run;
}

describe('the chance that a terminal is compromised', () => {
  it('is small without frauds, and smaller after a genuine payment', () => {
    expect(compromiseChance(newFraudRun(100), 100)).toBeLessThan(0.01);
    const cleared = compromiseChance(runOf(99, []), 100);
    expect(cleared).toBeLessThan(compromiseChance(newFraudRun(100), 100));
  });

  it('grows with each fraud', () => {
    const chances = [[], [101], [101, 102]].map((days) => compromiseChance(runOf(99, days), 109));
    expect(chances[0]).toBeLessThan(0.01);
    expect(chances[1]).toBeGreaterThan(0.3);
    expect(chances[2]).toBeGreaterThan(0.99);
  });

  it('hardly grows with a fraud that its card explains', () => {
    const run = runOf(99, []);
    addFraud(run, 101, 0.9);
    expect(compromiseChance(run, 109)).toBeLessThan(0.01);
  });

  it('ends four weeks after it may have begun', () => {
    const run = runOf(99, [101, 102, 103, 110]);
    expect(compromiseChance(run, 127)).toBeGreaterThan(0.9);
    expect(compromiseChance(run, 128)).toBeGreaterThan(0.4);
    expect(compromiseChance(run, 129)).toBeLessThan(0.01);
  });

  it('ends with a genuine payment', () => {
    const run = runOf(99, [101, 102]);
    addGenuine(run, 103);
    expect(compromiseChance(run, 110)).toBeLessThan(0.01);
  });

  it('remembers a bounded number of days', () => {
    const days = Array.from({ length: 500 }, (_, index) => 100 + Math.floor(index / 2));
    expect(runOf(99, days).frauds.length).toBeLessThanOrEqual(35);
  });

  it('stays a chance however many frauds there are', () => {
    const days = Array.from({ length: 1_000 }, (_, index) => 100 + Math.floor(index / 200));
    expect(compromiseChance(runOf(99, days), 105)).toBeCloseTo(1);
  });
});
