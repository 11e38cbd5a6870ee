import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyIndex } from './key-index.js';
import { stateLimits } from './limits.js';
import { TextKeys } from './text-keys.js';

const { textKeyCharsMax, textKeyProbesMax, textKeysMin } = stateLimits;

/** An index that keeps texts as those with many keys do. */
function manyTexts(): KeyIndex {
  const index = new KeyIndex();
  index.texts = new TextKeys();
  return index;
}

/** Short texts of few characters, so that the same ones come again, and some that are not taken. */
const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 5 }),
  fc.string({ unit: fc.constantFrom('a', '\u0000', '\u007f', '\u0080', 'é', '漢'), maxLength: 4 }),
  fc.string({ unit: fc.constantFrom('\ud83d', '\ude00', 'a'), maxLength: 3 }),
  fc.integer({ min: textKeyCharsMax - 1, max: textKeyCharsMax + 1 }).map((n) => 'x'.repeat(n)),
  fc.nat(200).map((n) => `user-${n}`),
);

describe('slots of texts', () => {
  test('are those of a Map, whatever comes, goes and is cleared', () => {
    const step = fc.oneof(
      { weight: 20, arbitrary: fc.tuple(fc.constant('insert' as const), texts) },
      { weight: 12, arbitrary: fc.tuple(fc.constant('remove' as const), texts) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), texts) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const index = manyTexts();
        const model = new Map<string, number>();
        for (const [what, text] of steps) {
          const slot = model.get(text);
          expect(index.find(text)).toBe(slot ?? -1);
          if (what === 'insert' && slot === undefined) model.set(text, index.insert(text));
          if (what === 'remove' && slot !== undefined) {
            index.remove(slot);
            model.delete(text);
          }
          if (what === 'clear') {
            index.clear();
            index.texts = new TextKeys();
            model.clear();
          }
        }
        expect(index.size).toBe(model.size);
        expect(new Set(model.values()).size).toBe(model.size);
        for (const [text, slot] of model) {
          expect(index.find(text)).toBe(slot);
          expect(index.keyAt(slot)).toBe(text);
          expect(index.isLive(slot)).toBe(true);
        }
      }),
    );
  });

  test('stay while the table grows', () => {
    const keys = new TextKeys();
    for (let n = 0; n < 20_000; n += 1) expect(keys.insert(`user-${n}`, n)).toBe(true);
    for (let n = 0; n < 20_000; n += 1) {
      expect(keys.find(`user-${n}`)).toBe(n);
      expect(keys.textAt(n)).toBe(`user-${n}`);
    }
    expect(keys.find('user-20000')).toBe(-1);
  });

  test.each([
    ['U+0000', 'a\u0000'],
    ['an accent', 'é'],
    ['a surrogate without a partner', '\ud83d'],
    ['too many characters', 'x'.repeat(textKeyCharsMax + 1)],
  ])('are not given to texts with %s', (_, text) => {
    const keys = new TextKeys();
    expect(keys.insert(text, 0)).toBe(false);
    keys.insert('a', 0);
    expect(keys.find(text)).toBe(-1);
  });

  test('are given to all of ASCII but U+0000, and to the empty text', () => {
    const keys = new TextKeys();
    const all = ['', ...Array.from({ length: 127 }, (_, n) => String.fromCharCode(n + 1))];
    for (const [slot, text] of all.entries()) expect(keys.insert(text, slot)).toBe(true);
    for (const [slot, text] of all.entries()) {
      expect(keys.find(text)).toBe(slot);
      expect(keys.textAt(slot)).toBe(text);
    }
  });

  test('are told apart and removed where all hashes are the same', () => {
    const colliding = sameHash(textKeyProbesMax + 10);
    const index = manyTexts();
    const slots = new Map(colliding.map((text) => [text, index.insert(text)]));
    for (const [text, slot] of slots) {
      expect(index.find(text)).toBe(slot);
      expect(index.keyAt(slot)).toBe(text);
    }
    // Those too many are kept elsewhere, so that no look-up has to pass all of them.
    expect(index.texts!.size).toBe(textKeyProbesMax);
    colliding.forEach((text, n) => {
      if (n % 2 === 0) index.remove(slots.get(text)!);
    });
    colliding.forEach((text, n) => {
      expect(index.find(text)).toBe(n % 2 === 0 ? -1 : slots.get(text));
    });
  });

  test('are the same when there are many, and when there are few again', () => {
    const index = new KeyIndex();
    const others = [null, true, 1.5, 7n, ['user-1'], 'é', '\u0000', new Date(5)];
    const keys = [...others, ...Array.from({ length: textKeysMin }, (_, n) => `user-${n}`)];
    const check = (): void => {
      const slots = keys.map((key) => index.insert(key));
      expect(index.texts?.size).toBe(textKeysMin);
      expect(keys.map((key) => index.find(key))).toEqual(slots);
      expect(slots.map((slot) => index.keyAt(slot))).toEqual(keys);
      expect(index.size).toBe(keys.length);
      expect(index.hasIntegersOnly).toBe(false);
    };
    check();
    index.clear();
    expect(index.texts?.size).toBe(0);
    check();
    for (const key of keys.slice(0, 100)) index.remove(index.find(key));
    index.clear();
    expect(index.texts).toBeUndefined();
    check();
  });

  test('take no more memory for texts that come and go', () => {
    const keys = new TextKeys();
    for (let n = 0; n < 1_000; n += 1) keys.insert(`user-${n + 100_000}`, n);
    const { memoryBytes } = keys;
    for (let round = 2; round < 100; round += 1) {
      for (let n = 0; n < 1_000; n += 2) keys.remove(n);
      for (let n = 0; n < 1_000; n += 2) keys.insert(`user-${n + round * 1_000 + 100_000}`, n);
    }
    expect(keys.memoryBytes).toBe(memoryBytes);
    expect(keys.size).toBe(1_000);
  });
});

/** Texts of two parts in every order: of two parts that mix to the same number, so do all of them. */
function sameHash(count: number): string[] {
  const parts = twoAlike();
  return Array.from({ length: count }, (_, n) =>
    Array.from({ length: 8 }, (__, bit) => parts[(n >> bit) & 1]!).join(''),
  );
}

/** Two texts of five characters that `find` mixes to the same number. */
function twoAlike(): readonly [string, string] {
  const seen = new Map<number, string>();
  for (let n = 0; ; n += 1) {
    const text = n.toString(36).padStart(5, '-');
    let mixed = 0;
    for (const character of text) {
      mixed = (Math.imul(mixed, 0x9e3779b1) + character.charCodeAt(0)) | 0;
    }
    const alike = seen.get(mixed);
    if (alike !== undefined) return [alike, text];
    seen.set(mixed, text);
  }
}
