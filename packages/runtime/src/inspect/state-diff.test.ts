import type { Key } from '@millrace/core';
import { expect, test } from 'vitest';
import { diffRows } from './state-diff.js';
import type { StateRow } from './state-rows.js';

const row = (key: Key, value: unknown): StateRow => ({
  operator: 'sum',
  state: 'sum',
  kind: 'value',
  keyGroup: 0,
  key,
  namespace: [],
  value,
});

test('keys that look the same are not taken for each other', () => {
  const before = [row(17n, 1), row('17n', 2)];
  expect(diffRows(before, [...before])).toEqual([]);
  expect(diffRows(before, [row(17n, 1)])).toMatchObject([{ change: 'removed', before: 2 }]);
});

test('values that look the same are told apart', () => {
  const changed = diffRows([row('a', Number.NaN)], [row('a', 'NaN')]);
  expect(changed).toMatchObject([{ change: 'changed' }]);
});

test('elements of lists are told apart by their tasks', () => {
  const element = (task: string, value: number): StateRow => ({ ...row(0, value), task });
  const before = [element('task-0-of-2', 1), element('task-1-of-2', 2)];
  expect(diffRows(before, [...before])).toEqual([]);
  expect(diffRows(before, [before[0]!])).toEqual([
    expect.objectContaining({ change: 'removed', place: '0 in task-1-of-2', before: 2 }),
  ]);
});
