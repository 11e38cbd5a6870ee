import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../codec/byte-reader.js';
import { MillraceError } from '../errors/millrace-error.js';
import { canonicalKey, keyOfCanonical } from './canonical-key.js';
import { keyGoldenVectors } from './golden-vectors.js';
import { decodeKey, encodeKey, type Key, keyDepthMax, readKey } from './key-codec.js';

const awkwardText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('\0', 'a', '\xff', '\ud83d', '\udc4d', '👍', '\u0001'), {
      maxLength: 5,
    })
    .map((units) => units.join('')),
);

const anyKey: fc.Arbitrary<Key> = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 3 },
    awkwardText,
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.bigInt({ min: -300n, max: 300n }),
    fc.boolean(),
    fc.constantFrom<Key>(null, -0, 0, Number.NaN, '__proto__'),
    fc.date({ noInvalidDate: false }),
    fc.array(tie('key'), { maxLength: 4 }),
  ),
})).key;

/** The slow, obvious definition of equal keys. */
function equalKeys(a: Key, b: Key): boolean {
  if (a instanceof Date && b instanceof Date) return equalKeys(a.getTime(), b.getTime());
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, index) => equalKeys(element, b[index]));
  }
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the canonical bytes of a key', () => {
  test.each(keyGoldenVectors)('of $key are $bytes, for ever', ({ key, bytes }) => {
    expect(hex(encodeKey(key))).toBe(bytes);
    expect(equalKeys(decodeKey(Buffer.from(bytes, 'hex')), key)).toBe(true);
  });

  test('decode to an equal key', () => {
    fc.assert(fc.property(anyKey, (key) => equalKeys(decodeKey(encodeKey(key)), key)));
  });

  test('differ exactly when the keys differ', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(hex(encodeKey(a)) === hex(encodeKey(b))).toBe(equalKeys(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  test('begin those of another key only where that goes on with FF', () => {
    const isBegun = (a: Key, b: Key) => {
      const [longer, shorter] = [hex(encodeKey(a)), hex(encodeKey(b))];
      return longer.startsWith(shorter) && !longer.startsWith(`${shorter}ff`);
    };
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(isBegun(a, b)).toBe(equalKeys(a, b));
      }),
      {
        numRuns: 2_000,
        examples: [
          ['\0', ''],
          ['a\0b', 'a'],
          [['\0'], ['']],
        ],
      },
    );
  });

  test('end where they end, whatever follows but FF', () => {
    const next = fc.integer({ min: 0, max: 0xfe });
    fc.assert(
      fc.property(anyKey, next, fc.uint8Array(), (key, first, rest) => {
        const bytes = encodeKey(key);
        const reader = new ByteReader(Uint8Array.of(...bytes, first, ...rest));
        expect(equalKeys(readKey(reader), key)).toBe(true);
        expect(reader.offset).toBe(bytes.length);
      }),
      { numRuns: 1_000 },
    );
  });

  const compareBytes = (a: Key, b: Key) => Buffer.compare(encodeKey(a), encodeKey(b));

  test('sort numbers and bigints by value', () => {
    const number = fc.double({ noNaN: true });
    fc.assert(
      fc.property(number, number, (a, b) => compareBytes(a, b) === Math.sign(+(a > b) - +(a < b))),
    );
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => compareBytes(a, b) === +(a > b) - +(a < b)),
    );
  });

  test('sort texts by code point, also inside tuples', () => {
    const points = (text: string) => Array.from(text, (c) => c.codePointAt(0)!);
    const less = (a: number[], b: number[]): boolean => {
      const at = a.findIndex((point, index) => point !== b[index]);
      return at < 0 ? a.length < b.length : at < b.length && a[at]! < b[at]!;
    };
    fc.assert(
      fc.property(awkwardText, awkwardText, (a, b) => {
        expect(compareBytes(a, b) < 0).toBe(less(points(a), points(b)));
        expect(compareBytes([a, 1], [b, 1]) < 0).toBe(less(points(a), points(b)));
      }),
    );
  });

  test('hold a text of a million lone surrogates', () => {
    const text = '\ud83d'.repeat(1_000_000);
    expect(decodeKey(encodeKey(text))).toBe(text);
  });
});

describe('damaged bytes', () => {
  test('decode to a key with these very bytes, or are refused', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 24 }),
      fc
        .array(fc.constantFrom(...[...Array(10).keys(), 0xff, 0xed, 0xa0, 0x80, 0xb0, 0xc3]))
        .map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        let key: Key;
        try {
          key = decodeKey(input);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_CODEC_CORRUPT' });
          return;
        }
        expect(hex(encodeKey(key))).toBe(hex(input));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['no bytes', ''],
    ['an unknown tag', '0a'],
    ['a tuple without an end', '09'],
    ['a text without an end', '0761'],
    ['−0', '047fffffffffffffff'],
    ['another NaN', '04fff8000000000001'],
    ['a bigint with a leading zero', '06000000010001'.slice(0, 12)],
    ['a huge bigint of few bytes', '06ffffffff01'],
    ['a negative bigint of 0', '05ffffffff'],
    ['an overlong character', '07c08000'],
    ['a pair of surrogates as two characters', '07eda0bdedb18d00'],
    ['a character beyond Unicode', '07f490808000'],
    ['bytes after the key', '0101'],
    ['a date that is no whole millisecond', '08bfe0000000000000'],
    ['too many tuples', '09'.repeat(keyDepthMax + 1) + '00'.repeat(keyDepthMax + 1)],
  ])('are refused: %s', (_name, bytes) => {
    expect(() => decodeKey(Buffer.from(bytes, 'hex'))).toThrow(/ERR_CODEC_CORRUPT/);
  });
});

describe('what is no key', () => {
  function nested(depth: number): Key {
    return depth === 0 ? [] : [nested(depth - 1)];
  }
  const self: unknown[] = [];
  self.push(self);
  class Card {}

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'key'],
    ['a function', () => 1, 'key'],
    ['a symbol', Symbol('s'), 'key'],
    ['an object', { a: 1 }, 'key'],
    ['a class instance', new Card(), 'key'],
    ['what only inherits from Date', Object.create(Date.prototype), 'key'],
    ['undefined in a tuple', ['a', [1, undefined]], 'key[1][1]'],
    ['a hole in a tuple', new Array(2), 'key[0]'],
    ['a tuple in itself', self, `key${'[0]'.repeat(keyDepthMax)}`],
    ['a tuple nested too deeply', nested(keyDepthMax), `key${'[0]'.repeat(keyDepthMax)}`],
  ])('%s is refused with its place', (_name, key, field) => {
    for (const act of [encodeKey, canonicalKeyOfAnything]) {
      try {
        act(key as Key);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(MillraceError);
        expect(error).toMatchObject({ code: 'ERR_INVALID_KEY', field });
      }
    }
  });

  test('a tuple at the limit of nesting is one', () => {
    const key = nested(keyDepthMax - 1);
    expect(decodeKey(encodeKey(key))).toEqual(key);
  });

  function canonicalKeyOfAnything(key: Key) {
    return canonicalKey(key);
  }
});

describe('canonicalKey', () => {
  const sameInMap = (a: Key, b: Key) => new Set([canonicalKey(a), canonicalKey(b)]).size === 1;

  test('makes equal keys, and only them, one entry of a Map', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => sameInMap(a, b) === equalKeys(a, b)),
      { numRuns: 2_000 },
    );
  });

  test('leads back to the key', () => {
    fc.assert(fc.property(anyKey, (key) => equalKeys(keyOfCanonical(canonicalKey(key)), key)));
  });

  test('of a tuple is not that of a text that looks like it', () => {
    const imitation = canonicalKey(['a', 1]) as string;
    expect(sameInMap(imitation, ['a', 1])).toBe(false);
    expect(keyOfCanonical(canonicalKey(imitation))).toBe(imitation);
  });

  test('of −0 is 0', () => {
    expect(canonicalKey(-0)).toBe(0);
  });
});
