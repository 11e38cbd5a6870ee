import type { Key } from './key-codec.js';

/** What a key's bytes, hash and key group are, for all time. */
export interface KeyGoldenVector {
  readonly key: Key;
  /** Canonical bytes in hex. */
  readonly bytes: string;
  /** Murmur3 of the bytes, seed 0. */
  readonly hash: number;
  /** Key group of 256. */
  readonly group: number;
}

/**
 * Frozen: state of released versions is placed by these. A test that fails here means that
 * stored state would not be found again; never correct a vector, only add.
 */
export const keyGoldenVectors: readonly KeyGoldenVector[] = [
  { key: null, bytes: '01', hash: 3831157163, group: 171 },
  { key: false, bytes: '02', hash: 1814548639, group: 159 },
  { key: true, bytes: '03', hash: 1579843702, group: 118 },
  { key: 0, bytes: '048000000000000000', hash: 3346956684, group: 140 },
  { key: -0, bytes: '048000000000000000', hash: 3346956684, group: 140 },
  { key: 1, bytes: '04bff0000000000000', hash: 3263890430, group: 254 },
  { key: -1, bytes: '04400fffffffffffff', hash: 230821976, group: 88 },
  { key: 127, bytes: '04c05fc00000000000', hash: 2991134159, group: 207 },
  { key: -128, bytes: '043f9fffffffffffff', hash: 3207473412, group: 4 },
  { key: 255, bytes: '04c06fe00000000000', hash: 2542592356, group: 100 },
  { key: 256, bytes: '04c070000000000000', hash: 4279658644, group: 148 },
  { key: 65_536, bytes: '04c0f0000000000000', hash: 3402003190, group: 246 },
  { key: -2_147_483_648, bytes: '043e1fffffffffffff', hash: 337385460, group: 244 },
  { key: 2_147_483_647, bytes: '04c1dfffffffc00000', hash: 2106944062, group: 62 },
  { key: 4_294_967_296, bytes: '04c1f0000000000000', hash: 3070872896, group: 64 },
  { key: 2 ** 53, bytes: '04c340000000000000', hash: 1322853942, group: 54 },
  { key: 2 ** 53 - 1, bytes: '04c33fffffffffffff', hash: 929096158, group: 222 },
  { key: -(2 ** 53), bytes: '043cbfffffffffffff', hash: 2110210051, group: 3 },
  { key: 0.1, bytes: '04bfb999999999999a', hash: 464705378, group: 98 },
  { key: -1.5, bytes: '044007ffffffffffff', hash: 315418161, group: 49 },
  { key: 1_700_000_000_000, bytes: '04c278bcfe56800000', hash: 3541015568, group: 16 },
  { key: Number.MIN_VALUE, bytes: '048000000000000001', hash: 279691552, group: 32 },
  { key: Number.MAX_VALUE, bytes: '04ffefffffffffffff', hash: 2047017850, group: 122 },
  { key: Number.POSITIVE_INFINITY, bytes: '04fff0000000000000', hash: 2454850883, group: 67 },
  { key: Number.NEGATIVE_INFINITY, bytes: '04000fffffffffffff', hash: 2037420032, group: 0 },
  { key: Number.NaN, bytes: '04fff8000000000000', hash: 3898695481, group: 57 },
  { key: 0n, bytes: '0600000000', hash: 3989362276, group: 100 },
  { key: 1n, bytes: '060000000101', hash: 1295600524, group: 140 },
  { key: -1n, bytes: '05fffffffefe', hash: 1545931770, group: 250 },
  { key: 255n, bytes: '0600000001ff', hash: 2301885398, group: 214 },
  { key: 256n, bytes: '06000000020100', hash: 2988971151, group: 143 },
  { key: -256n, bytes: '05fffffffdfeff', hash: 1477728037, group: 37 },
  { key: 2n ** 64n, bytes: '0600000009010000000000000000', hash: 1893684239, group: 15 },
  { key: -(2n ** 63n), bytes: '05fffffff77fffffffffffffff', hash: 1614249684, group: 212 },
  { key: '', bytes: '0700', hash: 251356773, group: 101 },
  { key: 'a', bytes: '076100', hash: 4159734022, group: 6 },
  { key: '0', bytes: '073000', hash: 2628435025, group: 81 },
  { key: 'card-4711', bytes: '07636172642d3437313100', hash: 1004121417, group: 73 },
  { key: '__proto__', bytes: '075f5f70726f746f5f5f00', hash: 2327408029, group: 157 },
  { key: '\u0000', bytes: '0700ff00', hash: 447444604, group: 124 },
  { key: 'a\u0000b', bytes: '076100ff6200', hash: 1031556189, group: 93 },
  { key: 'é', bytes: '07c3a900', hash: 325864061, group: 125 },
  { key: 'ÿ', bytes: '07c3bf00', hash: 1778877474, group: 34 },
  { key: '漢字', bytes: '07e6bca2e5ad9700', hash: 3302352255, group: 127 },
  { key: '👍', bytes: '07f09f918d00', hash: 1406502709, group: 53 },
  { key: '\ud83d', bytes: '07eda0bd00', hash: 2152563434, group: 234 },
  { key: '\udc4d', bytes: '07edb18d00', hash: 4046088389, group: 197 },
  { key: '\udc4d\ud83d', bytes: '07edb18deda0bd00', hash: 511676804, group: 132 },
  { key: '\ud83d\ud83d\udc4d', bytes: '07eda0bdf09f918d00', hash: 2743978399, group: 159 },
  { key: '\uffff', bytes: '07efbfbf00', hash: 3944591307, group: 203 },
  { key: 'e\u0301', bytes: '0765cc8100', hash: 4245855023, group: 47 },
  { key: new Date(0), bytes: '088000000000000000', hash: 2750857130, group: 170 },
  { key: new Date(1_700_000_000_000), bytes: '08c278bcfe56800000', hash: 1523568213, group: 85 },
  { key: new Date(-1), bytes: '08400fffffffffffff', hash: 3231340257, group: 225 },
  { key: new Date(Number.NaN), bytes: '08fff8000000000000', hash: 4074220429, group: 141 },
  { key: [], bytes: '0900', hash: 638962438, group: 6 },
  { key: [null], bytes: '090100', hash: 2891736823, group: 247 },
  { key: [''], bytes: '09070000', hash: 3222062220, group: 140 },
  { key: ['a', 'b'], bytes: '0907610007620000', hash: 1256954075, group: 219 },
  { key: ['ab', ''], bytes: '0907616200070000', hash: 3041055609, group: 121 },
  { key: ['a', ['b']], bytes: '09076100090762000000', hash: 1877084761, group: 89 },
  { key: [['a'], 'b'], bytes: '09090761000007620000', hash: 3014177538, group: 2 },
  {
    key: [1, '1', 1n, true],
    bytes: '0904bff00000000000000731000600000001010300',
    hash: 2630104778,
    group: 202,
  },
  { key: [[], [[]]], bytes: '0909000909000000', hash: 3304374068, group: 52 },
  { key: [-0], bytes: '0904800000000000000000', hash: 2476015493, group: 133 },
  {
    key: [new Date(0), 'x\u0000'],
    bytes: '09088000000000000000077800ff0000',
    hash: 1090907932,
    group: 28,
  },
];
