import { describe, expect, test } from 'vitest';
import { WatermarkCombiner } from './watermark-combiner.js';

const combined = (inputs: number, tell: (combiner: WatermarkCombiner) => void): number => {
  const combiner = new WatermarkCombiner(inputs);
  tell(combiner);
  return combiner.watermark;
};

describe('the combined watermark', () => {
  test('is the lowest of those that are not idle', () => {
    const mark = combined(3, (c) => {
      c.advance(0, 10);
      c.advance(1, 20);
      c.idle(2);
    });
    expect(mark).toBe(10);
  });

  test('stands while all that have not ended are idle', () => {
    const mark = combined(2, (c) => {
      c.advance(0, 10);
      c.advance(1, 20);
      c.advance(1, Infinity);
      c.idle(0);
    });
    expect(mark).toBe(10);
  });

  test('says that all are idle when those that are not have ended', () => {
    const combiner = new WatermarkCombiner(2);
    combiner.advance(1, Infinity);
    expect(combiner.idle(0)).toBe(true);
    expect(combiner.allIdle).toBe(true);
  });

  test('says so, too, when the others end later; and not of none, or while one is awake', () => {
    const combiner = new WatermarkCombiner(3);
    expect(combiner.idle(0)).toBe(false);
    combiner.advance(1, Infinity);
    combiner.advance(2, 10);
    expect(combiner.allIdle).toBe(false);
    combiner.advance(2, Infinity);
    expect(combiner.allIdle).toBe(true);
    combiner.advance(0, Infinity);
    expect(combiner.allIdle).toBe(false);
  });

  test('is +∞ once all have ended, also those that were idle', () => {
    const mark = combined(2, (c) => {
      c.idle(0);
      c.advance(1, Infinity);
      c.advance(0, Infinity);
    });
    expect(mark).toBe(Infinity);
  });

  test('waits behind a restore for what was idle: it may have got records meanwhile', () => {
    const before = new WatermarkCombiner(2);
    before.advance(0, 10);
    before.idle(1);
    const mark = combined(2, (c) => {
      for (const at of [0, 1]) c.restore(at, { ...before.input(at), combined: before.watermark });
      c.advance(0, 20);
    });
    expect(mark).toBe(10);
  });

  test('never goes back', () => {
    const mark = combined(2, (c) => {
      c.idle(0);
      c.advance(1, 20);
      c.advance(0, 5);
    });
    expect(mark).toBe(20);
  });
});
