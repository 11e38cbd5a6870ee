import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import {
  manualTime,
  openReader,
  readAll,
  readOn,
  readWithRestarts,
  testContext,
  valuesOf,
} from '../reading/reader-driver.js';
import { generator } from './generator.js';
import { SeededRandom } from './seeded-random.js';

const source = (count: number, splits = 1, seed = 7) =>
  generator({
    seed,
    count,
    splits,
    create: (index, random) => ({ index, draws: [random.next(), random.next()] }),
  });
const indexOf = (value: unknown) => (value as { index: number }).index;

test('records depend on seed and index only', async () => {
  const once = valuesOf(await readAll(source(50), 7));
  expect(once.map(indexOf)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  const again = [...valuesOf(await readWithRestarts(source(50, 3), 2))];
  expect(again.sort((a, b) => indexOf(a) - indexOf(b))).toEqual(once);
  expect(valuesOf(await readAll(source(50, 1, 8)))).not.toEqual(once);
});

test('splits without an end keep no other from being read, however many there are', async () => {
  const splits = connectorLimits.openSplitsMax + 1;
  const endless = generator({ seed: 1, splits, create: (index) => index });
  const reader = await openReader(endless);
  const first = Array.from({ length: splits }, () => reader.poll(1));
  expect(first).toMatchObject(Array.from({ length: splits }, (_, index) => ({ values: [index] })));
  await reader.close?.();
});

test('numbers are uniform in [0, 1), also over the first draws of many indexes', () => {
  const random = new SeededRandom(1);
  const buckets = new Array<number>(10).fill(0);
  for (let index = 0; index < 20_000; index += 1) {
    random.startAt(index);
    buckets[Math.floor(random.next() * 10)]! += 1;
  }
  // Six standard deviations of a binomial distribution about 2,000.
  for (const count of buckets) expect(Math.abs(count - 2_000)).toBeLessThan(255);
});

test('sequences of large seeds and indexes differ', () => {
  const first = (seed: number, index: number) => {
    const random = new SeededRandom(seed);
    random.startAt(index);
    return random.next();
  };
  const anyPair = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat());
  fc.assert(
    fc.property(anyPair, anyPair, (one, other) => {
      fc.pre(one[0] !== other[0] || one[1] !== other[1]);
      expect(first(...one)).not.toBe(first(...other));
    }),
  );
});

describe('a rate', () => {
  test.each([1, 2])('lets as many records through as are due, %d splits', async (splits) => {
    const time = manualTime();
    const paced = generator({ seed: 1, ratePerSecond: 10, splits, create: (index) => index });
    expect(paced.bounded).toBe(false);
    const reader = await openReader(paced, testContext(time.env));
    const seen: number[] = [];
    const drain = () => {
      for (let chunk = reader.poll(512); typeof chunk === 'object'; chunk = reader.poll(512)) {
        seen.push(...chunk.values);
      }
      return seen.sort((a, b) => a - b).length;
    };
    // The first record of each split is due at the start.
    expect(drain()).toBe(splits);
    let woken = false;
    reader.available().then(() => {
      woken = true;
    });
    time.advance(250);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(woken || splits === 2).toBe(true);
    drain();
    time.advance(1_750);
    const due = drain();
    expect(due).toBeGreaterThanOrEqual(20);
    expect(due).toBeLessThanOrEqual(20 + splits);
    expect(seen).toEqual(Array.from({ length: due }, (_, index) => index));
    await reader.close?.();
  });
});

test('a split is empty until its next record is due', async () => {
  const time = manualTime();
  const options = { seed: 1, ratePerSecond: 10, splits: 2, create: (index: number) => index };
  const reader = await openReader(generator({ ...options, count: 4 }), testContext(time.env));
  const empty = () => ['0', '1'].filter((split) => reader.isSplitEmpty!(split));
  expect(empty()).toEqual([]);
  reader.poll(512);
  expect(empty()).toEqual(['0']);
  reader.poll(512);
  expect(empty()).toEqual(['0', '1']);
  time.advance(200);
  expect(empty()).toEqual([]);
  expect(reader.poll(512)).toMatchObject({ split: '0', values: [2], splitEnded: true });
  await reader.close?.();
});

test('without a rate none is', async () => {
  const reader = await openReader(source(50, 2));
  reader.poll(5);
  expect(['0', '1'].filter((split) => reader.isSplitEmpty!(split))).toEqual([]);
});

test('what create throws fails', async () => {
  const broken = generator({
    seed: 1,
    count: 1,
    create: () => {
      throw new Error('no idea');
    },
  });
  await expect(readOn(await openReader(broken))).rejects.toThrow('no idea');
});

test.each([{ seed: -1 }, { count: 1.5 }, { ratePerSecond: 0 }, { splits: 0 }])(
  '%j is refused',
  (options) => {
    expect(() => generator({ seed: 1, create: () => 1, ...options })).toThrow('ERR_INVALID_OPTION');
  },
);
