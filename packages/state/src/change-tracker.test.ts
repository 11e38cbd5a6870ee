import { expect, test } from 'vitest';
import { ChangeTracker, type TrackedRows } from './change-tracker.js';
import { stateLimits } from './limits.js';

const rows: TrackedRows = {
  isLive: () => true,
  keyAt: (slot) => slot,
  rewriteShare: stateLimits.rewriteShare,
  alternates: true,
  keepAside: () => undefined,
  forgetAside: () => undefined,
};

test('of rows that take long to write, every other snapshot takes what changed while most do', () => {
  const changes = new ChangeTracker(rows);
  changes.grow(100);
  for (let slot = 0; slot < 100; slot += 1) changes.born(slot);
  const snapshot = (): number => {
    if (!changes.hasChanges) return 0;
    const { count } = changes.freeze(100, 100);
    changes.release('encoded');
    return count;
  };
  const change = (share: number): number => {
    for (let slot = 0; slot < 100 * share; slot += 1) {
      if (changes.marks[slot]! < changes.epoch) changes.touch(slot);
    }
    return snapshot();
  };
  expect(snapshot()).toBe(100);
  expect([0.5, 0.5, 0.5, 0.5].map(change)).toEqual([50, 100, 50, 100]);
  // Nearly all change: what is left of them is not worth telling apart.
  expect([0.9, 0.9, 0.9].map(change)).toEqual([100, 100, 100]);
  expect(change(0)).toBe(0);
  expect(change(0.1)).toBe(10);
});
