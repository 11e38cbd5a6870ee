import { describe, expect, test } from 'vitest';
import { Reduction } from './reduction.js';

const limits = {
  localRowsMax: 0,
  localRecordsMax: 0,
  reductionRecordsMin: 10,
  reductionRowsShare: 0.5,
  passRecords: 3,
};

describe('records pass', () => {
  test.each([
    ['when rows are more than the share', 6, 10, true],
    ['not when they are as many', 5, 10, false],
    ['not before enough records were seen', 9, 9, false],
    ['not when nothing was given out', 0, 0, false],
  ] as const)('%s', (_name, rows, records, expected) => {
    const reduction = new Reduction(limits);
    reduction.gaveOut(rows, records);
    expect(reduction.look()).toBe(expected);
    expect(reduction.passes).toBe(expected);
  });

  test('for so many records; then aggregation is tried again, from nothing', () => {
    const reduction = new Reduction(limits);
    reduction.gaveOut(10, 10);
    reduction.look();
    expect([reduction.passed(), reduction.passed(), reduction.passed()]).toEqual([
      false,
      false,
      true,
    ]);
    expect(reduction.passes).toBe(false);
    reduction.gaveOut(1, 10);
    expect(reduction.look()).toBe(false);
  });

  test('what is given out between two looks adds up', () => {
    const reduction = new Reduction(limits);
    reduction.gaveOut(1, 8);
    expect(reduction.look()).toBe(false);
    reduction.gaveOut(8, 8);
    expect(reduction.look()).toBe(true);
  });
});

test('a record behind the watermark, which passes anyway, ends nothing', () => {
  expect(new Reduction(limits).passed()).toBe(false);
});
