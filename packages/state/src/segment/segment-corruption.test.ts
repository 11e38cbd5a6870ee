import { crc32 } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StateLayout } from './block.js';
import { type PlainBlock, plainBlocks, readerOf, segmentOf } from './plain-segment.js';
import { frameBytes, headerBytes, trailerBytes } from './segment-format.js';
import { readSegmentIndex } from './segment-reader.js';
import { verifySegment } from './verify-segment.js';

const layout: StateLayout = {
  operator: 'velocity',
  state: 'sums',
  kind: 'map',
  version: 1,
  shape: 'sum',
  numbers: 2,
  blobs: 1,
  identityNumbers: 0,
  identityBlobs: 1,
};

/** Blocks of all kinds. Some differ in nothing but their values, so that they can be swapped. */
function blocksOf(rowsOfBlock: number, count: number): PlainBlock[] {
  const blocks = Array.from({ length: count }, (_, block): PlainBlock => {
    const rows = Array.from({ length: rowsOfBlock }, (_, row) => ({
      group: (block >> 2) + (row >> 1),
      key: block % 3 === 2 ? `key ${row}` : block * 1_000 + row,
      numbers: [row * 1.5 + block, 7],
      blobs: [`${row % 10}`],
    }));
    return { layout, kind: 'rows', namespace: [block & 1], rows };
  });
  const identities = blocks[0]!.rows.map((row) => ({ ...row, numbers: [] }));
  return [
    ...blocks,
    { layout, kind: 'drop', namespace: [2], rows: [] },
    { layout, kind: 'removals', namespace: [0], rows: identities },
    {
      layout: { ...layout, state: 'other' },
      kind: 'keyRemovals',
      namespace: [],
      rows: identities.map((row) => ({ ...row, blobs: [] })),
    },
  ];
}

const small = segmentOf(blocksOf(3, 3));
const large = segmentOf(blocksOf(40, 30));

/** Reads everything; true when that fails as it should, and nothing else is thrown. */
async function isRefused(bytes: Uint8Array): Promise<boolean> {
  try {
    await verifySegment(readerOf(bytes), bytes.length);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError);
    expect((error as MillraceError).code).toBe('ERR_CHECKPOINT_CORRUPT');
    return true;
  }
}

/** Where a segment's footer is. */
function footerOf(bytes: Uint8Array): { offset: number; length: number } {
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - trailerBytes);
  return {
    offset: Number(trailer.getBigUint64(0, true)),
    length: trailer.getUint32(8, true),
  };
}

describe('damage', () => {
  test('none is found where there is none', async () => {
    expect(await isRefused(small)).toBe(false);
    expect(await isRefused(large)).toBe(false);
    expect(await isRefused(segmentOf([]))).toBe(false);
  });

  test('of any single byte, however it is changed, is found', async () => {
    const undetected: number[] = [];
    for (let at = 0; at < small.length; at += 1) {
      for (const flip of [0x01, 0x80, 0xff, small[at]! || 0x55, 0x10]) {
        const damaged = small.slice();
        damaged[at]! ^= flip;
        if (!(await isRefused(damaged))) undetected.push(at);
      }
    }
    expect(undetected).toEqual([]);
  });

  test('by cutting the file anywhere is found', async () => {
    for (let length = 0; length < small.length; length += 1) {
      expect(await isRefused(small.slice(0, length))).toBe(true);
    }
  });

  const place = fc.nat({ max: large.length - 1 });
  type Damage = (bytes: Uint8Array) => Uint8Array;
  const damage = fc.oneof<fc.Arbitrary<Damage>[]>(
    fc
      .array(fc.tuple(place, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 20 })
      .map((flips) => (bytes) => {
        for (const [at, flip] of flips) bytes[at]! ^= flip;
        return bytes;
      }),
    fc.tuple(place, place).map(
      ([to, from]) =>
        (bytes) =>
          bytes.copyWithin(to, from, from + 64),
    ),
    place.map((length) => (bytes) => bytes.slice(0, length)),
    fc.tuple(place, fc.nat({ max: 600 })).map(
      ([at, length]) =>
        (bytes) =>
          Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]),
    ),
    fc
      .uint8Array({ minLength: 1, maxLength: 100 })
      .map((more) => (bytes) => Uint8Array.from([...bytes, ...more])),
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 })).map(
      ([at, more]) =>
        (bytes) =>
          Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)]),
    ),
    fc.tuple(place, fc.nat({ max: 600 })).map(
      ([at, length]) =>
        (bytes) =>
          bytes.fill(0, at, at + length),
    ),
  );

  test('of any other sort is found', async () => {
    let harmless = 0;
    await fc.assert(
      fc.asyncProperty(damage, async (apply) => {
        const damaged = apply(large.slice());
        if (Buffer.compare(damaged, large) === 0) harmless += 1;
        else expect(await isRefused(damaged)).toBe(true);
      }),
      { numRuns: 4_000 },
    );
    expect(harmless).toBeLessThan(400);
  });

  test('by blocks that change places, each whole in itself, is found', async () => {
    const { blocks } = await readSegmentIndex(readerOf(large), large.length);
    let swaps = 0;
    for (const a of blocks) {
      for (const b of blocks) {
        if (a.offset >= b.offset || a.length !== b.length || a.crc === b.crc) continue;
        const damaged = large.slice();
        damaged.copyWithin(a.offset, b.offset, b.offset + frameBytes + b.length);
        damaged.set(large.subarray(a.offset, a.offset + frameBytes + a.length), b.offset);
        expect(await isRefused(damaged)).toBe(true);
        swaps += 1;
      }
    }
    expect(swaps).toBeGreaterThan(100);
  });

  test('by bytes that nothing covers, between the parts of the file, is found', async () => {
    const footerAt = footerOf(small).offset;
    const insert = (at: number) => {
      const longer = Uint8Array.from([...small.subarray(0, at), 1, 2, 3, ...small.subarray(at)]);
      return { longer, trailer: new DataView(longer.buffer, longer.length - trailerBytes) };
    };
    const ahead = insert(footerAt);
    ahead.trailer.setBigUint64(0, BigInt(footerAt + 3), true);
    expect(await isRefused(ahead.longer)).toBe(true);
    expect(await isRefused(insert(small.length - trailerBytes).longer)).toBe(true);
    const within = insert(small.length - trailerBytes);
    const { length } = footerOf(small);
    const footer = within.longer.subarray(footerAt, footerAt + length + 3);
    within.trailer.setUint32(8, footer.length, true);
    within.trailer.setUint32(12, crc32(footer), true);
    expect(await isRefused(within.longer)).toBe(true);
  });

  test('by the end of another segment is found', async () => {
    const other = segmentOf(blocksOf(3, 2));
    expect(await isRefused(Uint8Array.from([...small, ...other]))).toBe(true);
    const damaged = small.slice();
    damaged.set(other.subarray(other.length - trailerBytes), small.length - trailerBytes);
    expect(await isRefused(damaged)).toBe(true);
  });
});

describe('bytes whose checksums are right but that no writer wrote', () => {
  /** Makes all checksums of a segment right again. */
  async function mended(bytes: Uint8Array, offset: number, length: number): Promise<Uint8Array> {
    const view = new DataView(bytes.buffer);
    const original = await readSegmentIndex(readerOf(small), small.length);
    const { offset: footerAt, length: footerLength } = footerOf(bytes);
    const crc = crc32(bytes.subarray(offset + frameBytes, offset + frameBytes + length));
    const before = original.blocks.find((block) => block.offset === offset)!.crc;
    view.setUint32(offset + 4, crc, true);
    for (let at = footerAt; at < footerAt + footerLength - 3; at += 1) {
      if (view.getUint32(at, true) === before) view.setUint32(at, crc, true);
    }
    const footer = bytes.subarray(footerAt, footerAt + footerLength);
    view.setUint32(bytes.length - trailerBytes + 12, crc32(footer), true);
    return bytes;
  }

  test('in a block are refused, or read as other rows; nothing else happens', async () => {
    const { blocks } = await readSegmentIndex(readerOf(small), small.length);
    let refused = 0;
    for (const { offset, length } of blocks) {
      for (let at = offset + frameBytes; at < offset + frameBytes + length; at += 1) {
        for (const flip of [0x01, 0x80, 0xff]) {
          const damaged = small.slice();
          damaged[at]! ^= flip;
          if (await isRefused(await mended(damaged, offset, length))) refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  test('in the footer are refused, or read as other blocks; nothing else happens', async () => {
    const footerAt = footerOf(small).offset;
    let refused = 0;
    for (let at = footerAt; at < small.length - trailerBytes; at += 1) {
      for (const flip of [0x01, 0x80, 0xff, 0x0f]) {
        const damaged = small.slice();
        damaged[at]! ^= flip;
        const footer = damaged.subarray(footerAt, small.length - trailerBytes);
        new DataView(damaged.buffer).setUint32(small.length - 12, crc32(footer), true);
        if (await isRefused(damaged)) refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(300);
  });

  test('of a later format are refused with its number', async () => {
    const later = small.slice();
    const view = new DataView(later.buffer);
    view.setUint16(8, 2, true);
    view.setUint32(12, crc32(later.subarray(0, 12)), true);
    await expect(plainBlocks(later)).rejects.toThrow(/format 2 .* another version/);
  });
});

describe('the error', () => {
  test('names the block, its place and what is wrong', async () => {
    const damaged = small.slice();
    damaged[headerBytes + frameBytes + 5]! ^= 1;
    await expect(plainBlocks(damaged)).rejects.toThrow(
      /ERR_CHECKPOINT_CORRUPT: .*block of rows at byte 16: its checksum is another/,
    );
  });

  test('is that of the store when the store cannot be read', async () => {
    const failed = new MillraceError('ERR_STORAGE_FAILED', 'EIO');
    await expect(verifySegment(() => Promise.reject(failed), 1_000)).rejects.toBe(failed);
  });
});
