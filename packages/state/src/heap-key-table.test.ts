import type { Key } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeapKeyTable } from './heap-key-table.js';

const keys: fc.Arbitrary<Key> = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(2 ** 31, -(2 ** 31), 2 ** 53 - 1, 1.5, Number.NaN, -0),
  fc.constantFrom('', '0', '__proto__', '\u0000', '\ud800', 'a'),
  fc.constantFrom(true, null, 10n),
  fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('x', 'y')),
);

const actions = fc.array(
  fc.oneof(
    fc.record({ add: keys }),
    fc.record({ addAll: fc.array(keys, { maxLength: 9 }) }),
    fc.record({ remove: keys }),
    fc.constant({ clear: true as const }),
  ),
  { maxLength: 300 },
);

const textOf = (key: Key): string =>
  Array.isArray(key)
    ? `[${key.map(textOf).join()}]`
    : `${typeof key} ${Object.is(key, -0) ? 0 : String(key)}`;

const tableOf = (): HeapKeyTable => new HeapKeyTable({ numbers: [5, 0], refs: [() => ['new']] });

describe('a table of rows by key', () => {
  test('does what a map of objects does', () => {
    fc.assert(
      fc.property(actions, (list) => {
        const table = tableOf();
        const model = new Map<string, number>();
        for (const action of list) {
          if ('clear' in action) {
            table.clear();
            model.clear();
          } else if ('add' in action) {
            const slot = table.slot(action.add);
            table.numbers[slot * 2]! += 1;
            model.set(textOf(action.add), (model.get(textOf(action.add)) ?? 5) + 1);
          } else if ('addAll' in action) {
            const { addAll } = action;
            const slots = new Int32Array(addAll.length);
            table.slotsOf(['ahead', ...addAll], 1, addAll.length + 1, slots);
            for (const [at, key] of addAll.entries()) {
              const slot = slots[at]!;
              expect(slot < 0).toBe(!model.has(textOf(key)));
              table.numbers[(slot < 0 ? ~slot : slot) * 2]! += 1;
              model.set(textOf(key), (model.get(textOf(key)) ?? 5) + 1);
            }
          } else {
            const slot = table.find(action.remove);
            expect(slot >= 0).toBe(model.delete(textOf(action.remove)));
            if (slot >= 0) table.remove(slot);
          }
        }
        const rows = new Map<string, number>();
        for (let slot = 0; slot < table.high; slot += 1) {
          if (table.isLive(slot)) rows.set(textOf(table.keyAt(slot)), table.numbers[slot * 2]!);
        }
        expect(rows).toEqual(model);
        expect(table.size).toBe(model.size);
        for (const key of model.keys()) expect(rows.has(key)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('keeps its rows while it grows', () => {
    const table = tableOf();
    for (let key = 0; key < 100_000; key += 1) {
      const slot = table.slot(key * 7);
      table.numbers[slot * 2 + 1] = key;
    }
    expect(table.size).toBe(100_000);
    for (let key = 0; key < 100_000; key += 1) {
      expect(table.numbers[table.find(key * 7) * 2 + 1]).toBe(key);
    }
    expect(table.find(1)).toBe(-1);
  });

  test('finds or makes rows for those of another table', () => {
    const [table, other] = [tableOf(), tableOf()];
    for (const key of ['a', 7, 1.5, 'gone', 8]) other.slot(key);
    other.remove(other.find('gone'));
    const had = table.slot(7);
    const slots = new Int32Array(4);
    table.slotsOfRows(other, 1, 5, slots);
    expect([...slots]).toEqual([had, table.find(1.5), -1, table.find(8)]);
    expect([table.size, table.numbers[table.find(8) * 2]]).toEqual([3, 5]);
  });

  test('copies keys', () => {
    const table = tableOf();
    for (const key of ['a', 7, 1.5, true, 8]) table.slot(key);
    const keys: Key[] = ['before', 'x', 'x', 'x', 'behind'];
    table.copyKeys(1, 4, keys, 1);
    expect(keys).toEqual(['before', 7, 1.5, true, 'behind']);
  });

  test('a removed key begins anew', () => {
    const table = tableOf();
    const slot = table.slot('a');
    (table.refs[slot] as string[]).push('old');
    table.remove(slot);
    expect(table.find('a')).toBe(-1);
    expect(table.refs[table.slot('a')]).toEqual(['new']);
  });
});
