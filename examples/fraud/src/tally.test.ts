import { expect, it } from 'vitest';
import { Tally } from './tally.js';

it('shows what another thread counts: all of it, and apart what that thread has decided', () => {
  const earlier = new Tally().state(9_000);
  const state = { ...earlier, summary: { ...earlier.summary, transactions: 170_000 } };
  const shown = new Tally();
  shown.follow(state, 600, undefined);
  expect(shown.counted).toBe(600);
  expect(shown.snapshot(0, 0).transactions).toBe(170_000);
});
