import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stateLimits } from '../limits.js';
import { planMerge } from './plan-merge.js';

const { chainSegmentsMax, mergeBytesFloor } = stateLimits;

interface History {
  readonly longest: number;
  /** Bytes that merging wrote for each byte that was added. */
  readonly amplification: number;
  /** Bytes of the chain for each byte of its longest segment, at the worst. */
  readonly space: number;
}

/**
 * Adds segment after segment; nothing is overwritten, so a merge is as long as what it merges. A
 * file costs as much as the floor, however short it is.
 */
function live(additions: readonly number[]): History {
  const chain: { bytes: number }[] = [];
  let longest = 0;
  let added = 0;
  let merged = 0;
  let space = 0;
  for (const bytes of additions) {
    chain.push({ bytes });
    added += Math.max(bytes, mergeBytesFloor);
    const plan = planMerge(chain);
    if (plan !== undefined) {
      const parts = chain.slice(plan.from, plan.to);
      const sum = parts.reduce((total, part) => total + part.bytes, 0);
      chain.splice(plan.from, parts.length, { bytes: sum });
      merged += Math.max(sum, mergeBytesFloor);
    }
    longest = Math.max(longest, chain.length);
    const sizes = chain.map((part) => Math.max(part.bytes, mergeBytesFloor));
    space = Math.max(space, sizes.reduce((sum, size) => sum + size, 0) / Math.max(...sizes));
  }
  return { longest, amplification: merged / added, space };
}

const repeat = (count: number, sizeOf: (at: number) => number) =>
  Array.from({ length: count }, (_, at) => sizeOf(at));

const mega = 2 ** 20;

describe('the plan of merges', () => {
  test('leaves a chain alone whose segments shrink', () => {
    expect(planMerge([])).toBeUndefined();
    expect(planMerge([{ bytes: mega }])).toBeUndefined();
    expect(planMerge([{ bytes: 1_000 * mega }, { bytes: 100 * mega }, { bytes: mega }])).toBe(
      undefined,
    );
  });

  test('merges the longest part at the end that is as long as what precedes it', () => {
    const chain = [{ bytes: 1_000 * mega }, { bytes: mega }, { bytes: mega }, { bytes: 2 * mega }];
    expect(planMerge(chain)).toEqual({ from: 1, to: 4 });
  });

  test('does not write a long one again for the sake of some short ones', () => {
    const short = { bytes: mega };
    const long = { bytes: 100 * mega };
    expect(planMerge([short, long])).toBeUndefined();
    expect(planMerge([short, short, short, long])).toBeUndefined();
    expect(planMerge([short, short, short, short, long])).toEqual({ from: 0, to: 4 });
    expect(planMerge([{ bytes: 1_000 * mega }, short, long])).toBeUndefined();
    expect(planMerge([short, { bytes: 20 * mega }, long])).toEqual({ from: 0, to: 3 });
  });

  test.each([
    ['equal segments', repeat(20_000, () => mega), 10],
    ['segments shorter than the floor', repeat(20_000, () => 100), 10],
    ['a large base and short segments', [10_000 * mega, ...repeat(20_000, () => mega)], 10],
    ['long and short by turns', repeat(20_000, (at) => (at % 2 ? mega : 100 * mega)), 10],
    ['ever longer segments', repeat(500, (at) => (at + 1) * mega), 6],
    ['now and then a very long one', repeat(5_000, (at) => (at % 97 ? 1 : 10_000) * mega), 10],
    ['a tiny one now and then', repeat(5_000, (at) => (at % 97 ? 100 * mega : 1)), 10],
    ['ever shorter segments', repeat(60, (at) => 2 ** 60 / 2 ** at), 10],
  ])('holds the bound and writes little twice with %s', (_, additions, amplificationMax) => {
    const { longest, amplification, space } = live(additions);
    expect(longest).toBeLessThanOrEqual(chainSegmentsMax);
    expect(amplification).toBeLessThan(amplificationMax);
    expect(space).toBeLessThan(4);
  });

  test('holds the bound, and writes a byte about log n times, over any history', () => {
    const size = fc
      .tuple(fc.double({ min: 0, max: 34, noNaN: true }), fc.integer({ min: 1, max: 40 }))
      .chain(([exponent, count]) => fc.constant({ bytes: Math.ceil(2 ** exponent), count }));
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 60 }), (runs) => {
        const additions = runs.flatMap(({ bytes, count }) => repeat(count, () => bytes));
        const { longest, amplification } = live(additions);
        expect(longest).toBeLessThanOrEqual(chainSegmentsMax);
        const total = additions.reduce((sum, bytes) => sum + bytes, 0);
        const doublings = Math.log2(1 + total / mergeBytesFloor);
        expect(amplification).toBeLessThan(1.5 + doublings);
      }),
      { numRuns: 300 },
    );
  });

  test('holds the bound from any chain within it', () => {
    const exponent = fc.double({ min: 0, max: 50, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(exponent, { maxLength: chainSegmentsMax }),
        exponent,
        (exponents, last) => {
          const chain = [...exponents, last].map((power) => ({ bytes: 2 ** power }));
          const plan = planMerge(chain);
          const left = chain.length - (plan === undefined ? 0 : plan.to - plan.from - 1);
          expect(left).toBeLessThanOrEqual(chainSegmentsMax);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
