import { simulateSeeds } from '@millrace/testing';
import { expect, test } from 'vitest';

// Beside those of simulation.test.ts, in a file of their own: files run side by side.
test.each([76, 91, 106, 121, 136])(
  'random jobs keep what is promised, from seed %i on',
  async (from) => {
    expect((await simulateSeeds({ from, count: 15 })).violations).toEqual([]);
  },
);
