import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOne, emptyCounts, sumCounts } from './trailing-counts.js';

const window = { slotMs: 10, slots: 4 };

describe('trailing counts', () => {
  it('equal a naive count over the slots of the window', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 })), fc.nat(80), (gaps, after) => {
        let at = 1_000;
        const counts = emptyCounts(window);
        const times: number[] = [];
        for (const gap of gaps) {
          at += gap;
          times.push(at);
          countOne(counts, window, at);
        }
        at += after;
        const oldest = Math.floor(at / 10) - 4;
        const naive = times.filter((time) => Math.floor(time / 10) > oldest).length;
        expect(sumCounts(counts, window, at)).toBe(naive);
        expect(counts).toHaveLength(5);
      }),
    );
  });
});
