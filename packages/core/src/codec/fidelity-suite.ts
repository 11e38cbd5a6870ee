import { MillraceError } from '../errors/millrace-error.js';
import type { RecordCodec } from './record-check.js';
import { sameRecord } from './same-record.js';

/** A value that every codec of records must return unchanged. */
export interface FidelityCase {
  readonly name: string;
  readonly value: unknown;
}

/** A value that every codec of records must refuse, and the `field` its error names. */
export interface RefusalCase extends FidelityCase {
  readonly field: string;
}

/** A case that a codec failed. */
export interface FidelityFailure {
  readonly name: string;
  readonly reason: string;
}

const named = (name: string, value: unknown): FidelityCase => ({ name, value });

const texts = (): FidelityCase[] =>
  [
    ['empty', ''],
    ['ascii', 'card-4711'],
    ['latin 1', 'naïve ÿ'],
    ['wide', '漢字 and ascii'],
    ['astral', '👍🏽'],
    ['lone high surrogate', 'a\ud83d'],
    ['lone low surrogate', '\udc4db'],
    ['surrogates in the wrong order', '\udc4d\ud83d'],
    ['zero', 'a\u0000b'],
    ['byte order mark', '\ufeffx'],
    ['not normalised', 'e\u0301é'],
    ['long', 'long '.repeat(3_000)],
    ['long and wide', '漢👍'.repeat(3_000)],
  ].map(([name, text]) => named(`text: ${name}`, text));

const numbers = (): FidelityCase[] =>
  [
    ...[0, -0, 1, -1, 127, 128, -128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, -(2 ** 31)],
    ...[-(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e21, 1e300],
    ...[0.1, -1.5, Number.EPSILON, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE],
    ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ].map((value) => named(`number: ${Object.is(value, -0) ? '-0' : value}`, value));

const bigints = (): FidelityCase[] =>
  [
    ...[0n, 1n, -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -(2n ** 63n) - 1n],
    ...[2n ** 64n, -(2n ** 64n), 2n ** 127n, 2n ** 2_000n + 1n, -(2n ** 2_000n)],
  ].map((value) => named(`bigint: ${value}`.slice(0, 40), value));

const objects = (): FidelityCase[] => [
  named('object: empty', {}),
  named('object: absent is not undefined', { a: undefined }),
  named('object: a property named __proto__', JSON.parse('{"__proto__": {"a": 1}, "b": 2}')),
  named('object: names of methods', { constructor: 1, toString: 2, hasOwnProperty: 3 }),
  named('object: odd names', { '': 1, 'a b': 2, '\ud83d': 3, 漢: 4, 0: 5, '-1': 6 }),
  named('object: without a prototype', Object.assign(Object.create(null), { a: 1, toString: 2 })),
  named(
    'object: 300 properties',
    Object.fromEntries(new Array(300).fill(0).map((_, i) => [`p${i}`, i])),
  ),
  named('array: empty', []),
  named('array: mixed', [1, 'a', null, undefined, [], {}, [[]]]),
  named(
    'array: 1,000 elements',
    new Array(1_000).fill(0).map((_, i) => i * 1.5),
  ),
  named('nested', { a: [{ b: new Map([['c', new Set([[1, { d: new Date(5) }]])]]) }] }),
  named('frozen', Object.freeze({ a: Object.freeze([1]) })),
  named('shared', ((shared) => ({ a: shared, b: [shared] }))({ x: 1 })),
];

const builtIns = (): FidelityCase[] => [
  named('undefined', undefined),
  named('null', null),
  named('true', true),
  named('false', false),
  named('date', new Date(1_700_000_000_123)),
  named('date: before 1970', new Date(-1)),
  named('date: invalid', new Date(Number.NaN)),
  named('map: empty', new Map()),
  named(
    'map: order kept',
    new Map([
      ['b', 1],
      ['a', 2],
    ]),
  ),
  named(
    'map: keys of all kinds',
    new Map<unknown, unknown>([
      [1, 'n'],
      ['1', 's'],
      [1n, 'b'],
      [Number.NaN, 0],
      [null, 1],
      [undefined, 2],
      [{ k: 1 }, 3],
      [[1], 4],
    ]),
  ),
  named('map: a key named __proto__', new Map([['__proto__', 1]])),
  named('set: empty', new Set()),
  named('set: order kept', new Set(['b', 'a', 1, '1', Number.NaN, undefined])),
];

const typedArrays = (): FidelityCase[] => [
  ...[
    Uint8Array,
    Int8Array,
    Uint8ClampedArray,
    Uint16Array,
    Int16Array,
    Uint32Array,
    Int32Array,
  ].map((TypedArray) => named(TypedArray.name, TypedArray.from([0, 1, 127, 255, 65_535, -1]))),
  named('Float32Array', new Float32Array([0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY])),
  named('Float64Array', new Float64Array([0, -0, 0.1, Number.NaN, Number.MIN_VALUE])),
  named('Float64Array: bits of a NaN', new Float64Array(new Uint32Array([1, 0x7ff80000]).buffer)),
  named('BigInt64Array', new BigInt64Array([0n, -1n, 2n ** 63n - 1n])),
  named('BigUint64Array', new BigUint64Array([0n, 2n ** 64n - 1n])),
  named('typed array: empty', new Float64Array(0)),
  named('typed array: part of a buffer', new Uint16Array(new ArrayBuffer(16), 2, 3).fill(7)),
  named('ArrayBuffer', new Uint8Array([1, 2, 3]).buffer),
];

/** Every value that differs in some codec that people use; new ones for each call. */
export function recordCodecFidelityCases(): readonly FidelityCase[] {
  return [texts, numbers, bigints, objects, builtIns, typedArrays].flatMap((cases) => cases());
}

const refused = (name: string, value: unknown, field = 'record'): RefusalCase => ({
  name,
  value,
  field,
});

class Card {
  readonly number = 1;
}

class Cards extends Array {}

function cyclic(): object {
  const record = { items: [{ parent: {} }] };
  record.items[0]!.parent = record;
  return record;
}

const otherKinds = (): RefusalCase[] => [
  refused('function', () => 1),
  refused('symbol', Symbol('s')),
  refused('class instance', { card: new Card() }, 'card'),
  refused('subclass of a built-in', { cards: new Cards() }, 'cards'),
  refused('RegExp', [/a/], '[0]'),
  refused('Error', { cause: new Error('x') }, 'cause'),
  refused('Promise', { later: Promise.resolve(1) }, 'later'),
  refused('WeakMap', { cache: new WeakMap() }, 'cache'),
  refused('DataView', { view: new DataView(new ArrayBuffer(1)) }, 'view'),
  ...[Object(1), Object('a'), Object(true), Object(1n), Object(Symbol('s'))].map((boxed) =>
    refused('boxed primitive', { boxed }, 'boxed'),
  ),
  ...[Date, Map, Set, Array, Uint8Array, ArrayBuffer].map(({ prototype, name }) =>
    refused(`merely inherits from ${name}`, { fake: Object.create(prototype) }, 'fake'),
  ),
];

const lossyProperties = (): RefusalCase[] => [
  refused('symbol as a key', { a: { [Symbol('s')]: 1 } }, 'a'),
  refused('getter', { a: Object.defineProperty({}, 'x', { get: () => 1, enumerable: true }) }, 'a'),
  refused('not enumerable', { a: Object.defineProperty({}, 'x', { value: 1 }) }, 'a'),
  refused('hole in an array', { a: new Array(2) }, 'a'),
  refused('property on an array', { a: Object.assign([1], { extra: 1 }) }, 'a'),
  refused('property on a Map', { a: Object.assign(new Map(), { extra: 1 }) }, 'a'),
];

const places = (): RefusalCase[] => [
  refused('in an array', { items: [{}, { price: Symbol('s') }] }, 'items[1].price'),
  refused('under an odd name', { 'a b': { c: Symbol('s') } }, '["a b"].c'),
  refused('as a key of a Map', { tags: new Map([[Symbol('s'), 1]]) }, 'tags<Map key>'),
  refused('as a value of a Map', { tags: new Map([['k', [Symbol('s')]]]) }, 'tags.get("k")[0]'),
  refused('in a Set', { tags: new Set([Symbol('s')]) }, 'tags<Set value>'),
  refused('contains itself', cyclic(), 'items[0].parent'),
];

/** Values that would arrive changed, and so must not be sent; new ones for each call. */
export function recordCodecRefusalCases(): readonly RefusalCase[] {
  return [...otherKinds(), ...lossyProperties(), ...places()];
}

/**
 * Runs all cases against a codec and returns those it fails; none if it may carry records.
 *
 * @example
 * expect(fidelityFailures({ encode: encodeRecord, decode: decodeRecord })).toEqual([]);
 */
export function fidelityFailures(codec: RecordCodec): readonly FidelityFailure[] {
  return [
    ...recordCodecFidelityCases().flatMap((one) => failureToKeep(codec, one)),
    ...recordCodecRefusalCases().flatMap((one) => failureToRefuse(codec, one)),
  ];
}

function failureToKeep(codec: RecordCodec, { name, value }: FidelityCase): FidelityFailure[] {
  try {
    if (sameRecord(codec.decode(codec.encode(value)), value)) return [];
    return [{ name, reason: 'comes back as another value' }];
  } catch (thrown) {
    return [{ name, reason: `throws ${thrown}` }];
  }
}

function failureToRefuse(
  codec: RecordCodec,
  { name, value, field }: RefusalCase,
): FidelityFailure[] {
  try {
    codec.encode(value);
    return [{ name, reason: 'is not refused' }];
  } catch (thrown) {
    if (!(thrown instanceof MillraceError) || thrown.code !== 'ERR_UNSERIALISABLE_VALUE') {
      return [{ name, reason: `throws ${thrown}` }];
    }
    return thrown.field === field ? [] : [{ name, reason: `names ${thrown.field}, not ${field}` }];
  }
}
