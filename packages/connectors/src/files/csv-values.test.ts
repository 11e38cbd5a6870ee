import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvInteger, csvNumber } from './csv-values.js';

const padded = (text: string): [string, number, number] => [`,${text},9`, 1, 1 + text.length];

describe('csvNumber', () => {
  test('reads every double as it prints', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(csvNumber(...padded(String(value)))).toBe(Number(String(value)));
      }),
    );
  });
  test('rounds decimals as JavaScript does', () => {
    const anyDecimal = fc.stringMatching(/^-?[0-9]{1,12}\.[0-9]{0,9}$/);
    fc.assert(
      fc.property(anyDecimal, (text) => {
        expect(csvNumber(...padded(text))).toBe(Number(text));
      }),
      { numRuns: 2_000 },
    );
  });
  test.each(['', '-', '.', '1 ', ' 1', '0x10', '1e', '1.2.3', 'NaN', 'Infinity', '1e999', '1_000'])(
    'refuses %j',
    (text) => expect(() => csvNumber(...padded(text))).toThrow(/ERR_INVALID_RECORD.*not a number/),
  );
});

describe('csvInteger', () => {
  test('reads every safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(csvInteger(...padded(String(value)))).toBe(value);
      }),
    );
  });
  test.each(['', '-', '1.0', '1e3', ' 1', '9007199254740992', '٣'])('refuses %j', (text) =>
    expect(() => csvInteger(...padded(text))).toThrow(/ERR_INVALID_RECORD.*not a whole number/),
  );
  test.each([
    ['+5', 5],
    ['007', 7],
    ['-0', 0],
  ])('reads %j', (text, value) => expect(csvInteger(...padded(text))).toBe(value));
});
