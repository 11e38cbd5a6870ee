import { describe, expect, test } from 'vitest';
import { assertFilters, assertName } from './subject-filter.js';

describe('filters that match no subject twice', () => {
  test.each([
    [[]],
    [['a.b', 'a.c', 'a.b.c', 'b.>']],
    [['a.*', 'a.*.*', 'a']],
    [['$KV.b.>', '*.x']],
  ])('%j', (filters) => {
    expect(() => assertFilters('subjects', filters)).not.toThrow();
  });
});

describe('filters that are refused', () => {
  test.each([
    [['a.*', 'a.b']],
    [['x', 'a.>', '*.b.c']],
    [['>', 'a']],
    [['a', 'a']],
    [['a b']],
    [['']],
    [['a..b']],
    [['a.>.b']],
    [['a.b*']],
  ])('%j', (filters) => {
    expect(() => assertFilters('subjects', filters)).toThrow('ERR_INVALID_OPTION');
  });
});

test('names of streams have no dots, spaces or wildcards', () => {
  expect(() => assertName('stream', 'ORDERS_2-a')).not.toThrow();
  for (const name of ['', 'a.b', 'a b', '*', 'a>', 'a/b']) {
    expect(() => assertName('stream', name)).toThrow('ERR_INVALID_OPTION');
  }
});
