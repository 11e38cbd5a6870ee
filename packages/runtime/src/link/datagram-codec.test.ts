import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatagramCodec, datagramKinds, headerBytes } from './datagram-codec.js';

const codecOf = (attempt: bigint, ownAddress: string, peerAddress: string): DatagramCodec =>
  new DatagramCodec({ attempt, ownAddress, peerAddress }, crc32);

const attempt = 0xfedc_ba98_7654_3210n;
const here = codecOf(attempt, 'a', 'b');
const there = codecOf(attempt, 'b', 'a');
const frame = Uint8Array.from({ length: 20 }, (_, index) => index);
const numbers = { sequence: 7, acknowledged: 3, round: 2 };
const datagram = (): Uint8Array<ArrayBuffer> =>
  here.encode(datagramKinds.data, numbers, { frame, from: 5, to: 12 });

describe('a datagram', () => {
  test('is read as it was written', () => {
    const bytes = datagram();
    expect(there.decode(bytes)).toBeUndefined();
    expect(there.header).toEqual({ kind: datagramKinds.data, ...numbers, restBytes: 8 });
    expect([...bytes.subarray(headerBytes)]).toEqual([...frame.subarray(5, 12)]);
  });

  test('has numbers beyond 32 bits', () => {
    const sequence = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(sequence, sequence, fc.nat({ max: 0xffff }), (sent, acknowledged, round) => {
        const large = { sequence: sent, acknowledged, round };
        const bytes = here.encode(datagramKinds.probe, large, undefined);
        expect(there.decode(bytes)).toBeUndefined();
        expect(there.header).toMatchObject(large);
      }),
    );
  });

  test('has the layout of version 1', () => {
    const bytes = datagram();
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(0, true)).toBe(crc32(bytes.subarray(4)));
    expect(Buffer.from(bytes.subarray(4, 8)).toString('latin1')).toBe('ML\x01\x01');
    expect(view.getBigUint64(8, true)).toBe(attempt);
    expect(view.getUint32(16, true)).toBe(7);
    expect(view.getUint32(20, true)).toBe(3);
    expect(view.getUint16(28, true)).toBe(2);
    expect(view.getUint32(32, true)).toBe(crc32(Buffer.from('a\nb')));
    expect(view.getUint32(36, true)).toBe(8);
  });
});

describe('is refused', () => {
  function check(bytes: Uint8Array, reader: DatagramCodec, expected: string): void {
    expect(reader.decode(bytes)).toBe(expected);
  }
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = datagram();
    bytes[at] = value;
    return bytes;
  };

  test('what is no datagram of a link', () => {
    check(datagram().subarray(0, headerBytes - 1), there, 'malformed');
    check(new Uint8Array(), there, 'malformed');
    check(changed(4, 0), there, 'malformed');
  });
  test('a kind nobody knows, also with the right checksum', () => {
    const bytes = changed(7, 5);
    new DataView(bytes.buffer).setUint32(0, crc32(bytes.subarray(4)), true);
    check(bytes, there, 'malformed');
  });
  test('another version', () => check(changed(6, 2), there, 'version'));
  test('another attempt, whichever of its halves differs', () => {
    check(datagram(), codecOf(attempt + 1n, 'b', 'a'), 'attempt');
    check(datagram(), codecOf(attempt ^ (1n << 63n), 'b', 'a'), 'attempt');
  });
  test('what somebody else sends to the same address, and its own', () => {
    check(datagram(), codecOf(attempt, 'b', 'c'), 'addresses');
    check(datagram(), here, 'addresses');
  });
  test('what is cut off', () => check(datagram().subarray(0, -1), there, 'checksum'));

  test('any flip of up to three bits', () => {
    const bits = datagram().length * 8;
    const flips = fc.uniqueArray(fc.nat({ max: bits - 1 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(flips, (flipped) => {
        const bytes = datagram();
        for (const bit of flipped) bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(there.decode(bytes)).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });
});

test('an attempt has 64 bits', () => {
  expect(() => codecOf(-1n, 'a', 'b')).toThrow(/ERR_INVARIANT/);
  expect(() => codecOf(1n << 64n, 'a', 'b')).toThrow(/ERR_INVARIANT/);
});
