import type { Key } from '@millrace/core';
import { expect, test } from 'vitest';
import { keyTextsOf, textOf } from './state-text.js';

test.each<[string, readonly Key[]]>([
  ['17', [17, '17']],
  ['"17"', ['17']],
  ['17n', [17n, '17n']],
  ['plain', ['plain']],
  ['', ['']],
  ['null', [null, 'null']],
  ['NaN', [Number.NaN]],
  ['1970-01-01T00:00:00.017Z', [new Date(17)]],
  ['"1970-01-01T00:00:00.017Z"', [new Date(17)]],
  ['["a", 1]', [['a', 1]]],
  ['["a","2n"]', [['a', 2n]]],
])('%s on a command line finds the keys that are written or printed so', (text, keys) => {
  for (const key of keys) expect(keyTextsOf(text)).toContain(textOf(key));
});

test('a text in quotes finds no number', () => {
  expect(keyTextsOf('"17"')).not.toContain(textOf(17));
});

test('typed arrays are shown by their numbers, those that share a buffer, too', () => {
  expect(textOf(Uint8Array.of(1, 2, 3, 4).subarray(1, 3))).toBe('[2,3]');
  expect(textOf(Float64Array.of(1.5, Number.NaN))).toBe('[1.5,"NaN"]');
  expect(textOf(new DataView(Uint8Array.of(1, 2, 3).buffer, 1))).toBe('[2,3]');
});
