import { type CanonicalKey, canonicalKey } from '@millrace/core/internal';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedKeys } from './sorted-keys.js';

/** Keys added and removed one by one or many at once, and looked at now and then. */
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('add'), from: fc.nat(300), count: fc.nat(60), step: fc.nat(7) }),
    fc.record({ do: fc.constant('remove'), from: fc.nat(300), count: fc.nat(60), step: fc.nat(7) }),
    fc.record({ do: fc.constant('look'), from: fc.nat(300), count: fc.nat(300), step: fc.nat(0) }),
  ),
  { maxLength: 60 },
);

test.each<[string, (n: number) => CanonicalKey]>([
  ['numbers', (n) => canonicalKey(n)],
  ['texts', (n) => canonicalKey(`k${String(n).padStart(4, '0')}`)],
])('%s are in order after any changes', (_kind, keyOf) => {
  fc.assert(
    fc.property(steps, (script) => {
      const keys = new SortedKeys();
      const model = new Set<number>();
      const inOrder = (): number[] => [...model].sort((a, b) => a - b);
      for (const { do: what, from, count, step } of script) {
        if (what === 'look') {
          const inside = inOrder().filter((n) => n >= from && n < from + count);
          const found = keys.between(keyOf(from), keyOf(from + count));
          expect(found).toEqual(inside.map(keyOf));
          continue;
        }
        for (let i = 0, n = from; i < count; i += 1, n += step + 1) {
          if (what === 'add' && !model.has(n)) keys.add(keyOf(n));
          else if (what === 'remove' && model.has(n)) keys.remove(keyOf(n));
          if (what === 'add') model.add(n);
          else model.delete(n);
        }
        if (count % 3 === 0) expect(keys.first()).toEqual(inOrder().map(keyOf)[0]);
        if (count % 3 === 1) expect(keys.last()).toEqual(inOrder().map(keyOf).at(-1));
      }
      expect(keys.between(undefined, undefined)).toEqual(inOrder().map(keyOf));
    }),
    { numRuns: 300 },
  );
});
