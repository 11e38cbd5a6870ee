import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyIndex } from './key-index.js';

/** Few, so that one is often the one that was found last. */
const keys = fc.constantFrom(0.5, 1.5, 2 ** 40, 2 ** 40 + 1, 7, 'text');
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('find' as const), key: keys }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('insert' as const), key: keys }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('remove' as const), key: keys }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('clear' as const), key: keys }) },
  ),
  { maxLength: 60 },
);

test('finds the keys that are there, and no others', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const index = new KeyIndex();
      const model = new Map<number | string, number>();
      for (const { does, key } of history) {
        const slot = model.get(key);
        if (does === 'clear') {
          index.clear();
          model.clear();
        } else if (does === 'insert' && slot === undefined) model.set(key, index.insert(key));
        else if (does === 'remove' && slot !== undefined) {
          index.remove(slot);
          model.delete(key);
        }
        expect(index.find(key)).toBe(model.get(key) ?? -1);
        expect(index.size).toBe(model.size);
      }
    }),
    { numRuns: 500 },
  );
});
