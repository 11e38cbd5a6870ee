import { describe, expect, test } from 'vitest';
import { millraceMatchers } from './matchers.js';

const { toEqualInAnyOrder, toHaveNoDuplicates } = millraceMatchers;

describe('toEqualInAnyOrder', () => {
  test.each<[string, readonly unknown[], readonly unknown[], boolean]>([
    ['nothing', [], [], true],
    ['another order', [1, 2], [2, 1], true],
    ['one is missing', [1], [1, 2], false],
    ['one is too many', [1, 2], [1], false],
    ['each as often', [1, 1, 2], [1, 2, 2], false],
    ['fields in another order', [{ a: 1, b: 2 }], [{ b: 2, a: 1 }], true],
    ['bigints', [1n], [1n], true],
    ['a bigint is no number', [1n], [1], false],
    ['NaN is not null', [Number.NaN], [null], false],
    ['undefined is not null', [[undefined]], [[null]], false],
    ['−0 is not 0', [-0], [0], false],
    ['maps by what they hold', [new Map([[1, 2]])], [new Map([[1, 3]])], false],
    ['a set is no list', [new Set([1])], [[1]], false],
    ['dates', [new Date(5)], [new Date(5)], true],
    ['a date is not its text', [new Date(0)], ['1970-01-01T00:00:00.000Z'], false],
    ['bytes', [Uint8Array.of(1)], [Uint8Array.of(2)], false],
  ])('%s', (_name, received, expected, pass) => {
    expect(toEqualInAnyOrder(received, expected).pass).toBe(pass);
  });

  test('the message tells what is missing and what is not expected', () => {
    const message = toEqualInAnyOrder([1, 2], [2, 3]).message();
    expect(message).toMatch(/missing:\s+3[\s\S]*not expected:\s+1/);
  });
});

test('toHaveNoDuplicates', () => {
  expect(toHaveNoDuplicates([1, '1', 1n, null]).pass).toBe(true);
  const twice = toHaveNoDuplicates([
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ]);
  expect(twice.pass).toBe(false);
  expect(twice.message()).toContain('"a":1');
});
