import { describe, expect, test } from 'vitest';
import { recordCodecFidelityCases, recordCodecRefusalCases } from './fidelity-suite.js';
import { freezeRecord } from './freeze-record.js';
import { checkRecord } from './record-check.js';
import { sameRecord } from './same-record.js';

describe('sameRecord', () => {
  test('takes every kind of value as the same as an equal one, and as no other', () => {
    const cases = recordCodecFidelityCases();
    const copies = recordCodecFidelityCases();
    for (const [index, { name, value }] of cases.entries()) {
      for (const [other, copy] of copies.entries()) {
        const same = sameRecord(value, copy.value);
        expect(same, `${name} and ${copy.name}`).toBe(index === other);
      }
    }
  });

  test.each<[string, unknown, unknown]>([
    ['0 and −0', [0], [-0]],
    ['undefined and absent', { a: undefined }, {}],
    ['undefined and absent, as many properties', { a: undefined }, { b: undefined }],
    ['a hole and undefined', new Array(1), [undefined]],
    ['with and without prototype', {}, Object.create(null)],
    [
      'other order in a Map',
      new Map([
        [1, 1],
        [2, 2],
      ]),
      new Map([
        [2, 2],
        [1, 1],
      ]),
    ],
    ['other order in a Set', new Set([1, 2]), new Set([2, 1])],
    ['an array and an object', [], {}],
    ['different functions', () => 1, () => 1],
    ['a typed array and an array', new Uint8Array([1]), [1]],
    ['class instances', new (class A {})(), new (class A {})()],
  ])('tells apart: %s', (_name, a, b) => {
    expect(sameRecord(a, b)).toBe(false);
    expect(sameRecord(b, a)).toBe(false);
  });

  test('does not mind the order of properties', () => {
    expect(sameRecord({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
  });
});

describe('freezeRecord', () => {
  test('makes every change of an object or array throw', () => {
    const record = freezeRecord({ list: [{ a: 1 }], map: new Map([['k', { b: 1 }]]) });
    expect(() => Object.assign(record, { c: 1 })).toThrow(TypeError);
    expect(() => record.list.push({ a: 2 })).toThrow(TypeError);
    expect(() => Object.assign(record.list[0]!, { a: 2 })).toThrow(TypeError);
    expect(() => Object.assign(record.map.get('k')!, { b: 2 })).toThrow(TypeError);
  });

  test('looks into what is frozen already, and ends in a cycle', () => {
    const inner = { a: 1 };
    const record: Record<string, unknown> = { outer: Object.freeze({ inner }) };
    record.self = record;
    freezeRecord(record);
    expect(Object.isFrozen(inner)).toBe(true);
  });

  test.each(recordCodecFidelityCases())('leaves $name as it was', ({ name, value }) => {
    const before = recordCodecFidelityCases().find((one) => one.name === name)!.value;
    expect(sameRecord(freezeRecord(value), before)).toBe(true);
  });
});

describe('checkRecord', () => {
  test.each(recordCodecFidelityCases())('accepts $name and returns it', ({ value }) => {
    expect(checkRecord(value)).toBe(value);
  });

  test.each(recordCodecRefusalCases())('refuses $name at $field', ({ value, field }) => {
    expect(() => checkRecord(value)).toThrow(
      expect.objectContaining({ code: 'ERR_UNSERIALISABLE_VALUE', field }),
    );
  });

  test('names the field that another codec changes', () => {
    const json = {
      encode: (record: unknown) => new TextEncoder().encode(JSON.stringify(record)),
      decode: (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes)),
    };
    expect(checkRecord({ a: [1] }, json)).toEqual({ a: [1] });
    expect(() => checkRecord({ ok: 1, items: [{ price: -0 }] }, json)).toThrow(
      expect.objectContaining({ code: 'ERR_UNSERIALISABLE_VALUE', field: 'items[0].price' }),
    );
  });

  test('freezes what it accepts', () => {
    expect(Object.isFrozen(checkRecord({ a: 1 }))).toBe(true);
  });
});
