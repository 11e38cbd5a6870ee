import { MillraceError } from '@millrace/core';
import { canonicalKey } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BlockKind, StateLayout } from './block.js';
import { newBlockColumns } from './block-columns.js';
import { ChunkBuffers } from './chunk-buffers.js';
import {
  joined,
  type PlainBlock,
  type PlainRow,
  plainBlocks,
  readerOf,
  segmentOf,
  written,
} from './plain-segment.js';
import { readBlocks, readSegmentIndex } from './segment-reader.js';
import { SegmentWriter } from './segment-writer.js';
import { verifySegment } from './verify-segment.js';

const layoutArbitrary: fc.Arbitrary<StateLayout> = fc
  .record({
    operator: fc.constantFrom('velocity', 'späte Ströme'),
    state: fc.constantFrom('a', 'b', '__proto__', '\ud800'),
    kind: fc.constantFrom('value', 'map', 'keyTable'),
    version: fc.integer({ min: 0, max: 3 }),
    shape: fc.constantFrom('', 'count,sum'),
    numbers: fc.integer({ min: 0, max: 3 }),
    blobs: fc.integer({ min: 0, max: 2 }),
  })
  .map((layout) => ({
    ...layout,
    identityNumbers: Math.min(1, layout.numbers),
    identityBlobs: Math.min(1, layout.blobs),
  }));

const keyArbitrary: fc.Arbitrary<Key> = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 2 },
    fc.string({ unit: 'binary' }),
    fc.constantFrom<Key>('\ud83d', '', '\0', null, true, false, Number.NaN, -0, 2 ** 31),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.date(),
    fc.array(tie('key'), { maxLength: 3 }),
  ),
})).key;

/** Columns of one kind of key or number are written otherwise than mixed ones. */
const keysArbitrary = fc.constantFrom(keyArbitrary, fc.integer(), fc.constantFrom<Key>('a', 'bc'));
const numbersArbitrary = fc.constantFrom(
  fc.double(),
  fc.integer(),
  fc.constant(-0),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324),
  fc.integer({ min: -1, max: 0 }).map((sign) => sign * 2 ** 31),
);
const blobsArbitrary = fc.constantFrom(
  fc.string({ unit: fc.constantFrom('\0', '\xff', 'a'), maxLength: 5 }),
  fc.constant(''),
  fc.constantFrom('a', 'x'.repeat(300), 'y'.repeat(70_000)),
);

const kindArbitrary = fc.constantFrom<BlockKind>('rows', 'rows', 'removals', 'keyRemovals', 'drop');

const blockArbitrary: fc.Arbitrary<PlainBlock> = fc
  .tuple(layoutArbitrary, kindArbitrary, keysArbitrary, numbersArbitrary, blobsArbitrary)
  .chain(([layout, kind, key, number, blob]) => {
    const isRows = kind === 'rows';
    const identity = kind === 'removals';
    const numbers = isRows ? layout.numbers : identity ? layout.identityNumbers : 0;
    const blobs = isRows ? layout.blobs : identity ? layout.identityBlobs : 0;
    const row: fc.Arbitrary<PlainRow> = fc.record({
      group: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 0xffff })),
      key,
      numbers: fc.array(number, { minLength: numbers, maxLength: numbers }),
      blobs: fc.array(blob, { minLength: blobs, maxLength: blobs }),
    });
    return fc.record({
      layout: fc.constant(layout),
      kind: fc.constant(kind),
      namespace: fc.array(fc.double(), { maxLength: 2 }),
      rows:
        kind === 'drop'
          ? fc.constant([])
          : fc
              .array(row, { minLength: 1, maxLength: 12 })
              .map((rows) => rows.toSorted((a, b) => a.group - b.group)),
    });
  });

const blocksArbitrary = fc.array(blockArbitrary, { maxLength: 8 });

/** Keys that are equal become the same; −0 of a namespace is 0. */
const normal = (blocks: readonly PlainBlock[]) =>
  blocks.map((block) => ({
    ...block,
    namespace: block.namespace.map((number) => number + 0),
    rows: block.rows.map((row) => ({ ...row, key: canonicalKey(row.key) })),
  }));

const within = (blocks: readonly PlainBlock[], first: number, last: number) =>
  blocks
    .map((block) => ({
      ...block,
      rows: block.rows.filter(({ group }) => group >= first && group <= last),
    }))
    .filter(({ kind, rows }) => kind === 'drop' || rows.length > 0);

const plainLayout: StateLayout = {
  operator: 'velocity',
  state: 'sums',
  kind: 'keyTable',
  version: 1,
  shape: 'sum',
  numbers: 1,
  blobs: 0,
  identityNumbers: 0,
  identityBlobs: 0,
};

describe('a segment', () => {
  test('gives back what was written, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(blocksArbitrary, async (blocks) => {
        expect(normal(await plainBlocks(segmentOf(blocks)))).toEqual(normal(blocks));
      }),
      { numRuns: 200 },
    );
  });

  test('is read as its writer says it is', async () => {
    await fc.assert(
      fc.asyncProperty(blocksArbitrary, async (blocks) => {
        const { bytes, index } = written(blocks);
        expect(await readSegmentIndex(readerOf(bytes), bytes.length)).toEqual(index);
      }),
    );
  });

  test('uses memory for chunks again once they are written', () => {
    const buffers = new ChunkBuffers();
    const segments = [1, 2].map((version) => {
      const writer = new SegmentWriter(buffers);
      const columns = newBlockColumns(plainLayout);
      columns.count = 512;
      const layout = writer.layout({ ...plainLayout, version });
      for (let key = 0; key < 100_000; key += 512) {
        for (let i = 0; i < 512; i += 1) columns.keys[i] = key + i;
        columns.numbers[0]!.forEach((_, i, numbers) => {
          numbers[i] = (key + i) / 7;
        });
        writer.add(layout, 'rows', [], columns);
      }
      writer.finish();
      const chunks = writer.takeChunks();
      const bytes = joined(chunks);
      for (const chunk of chunks) buffers.give(chunk);
      return { bytes, memory: chunks.map(({ buffer }) => buffer) };
    });
    const [first, second] = segments.map(({ memory }) => new Set(memory));
    expect(second).toEqual(first);
    expect(segments[0]!.bytes.length).toBeGreaterThan(4 * 256 * 1024);
    expect(segments[0]!.bytes.length).toBe(segments[1]!.bytes.length);
  });

  test('gives for a range of key groups what filtering all gives', async () => {
    const group = fc.oneof(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 0xffff }));
    await fc.assert(
      fc.asyncProperty(blocksArbitrary, group, group, async (blocks, a, b) => {
        const [first, last] = a < b ? [a, b] : [b, a];
        const found = await plainBlocks(segmentOf(blocks), { first, last });
        expect(normal(found)).toEqual(normal(within(blocks, first, last)));
      }),
      { numRuns: 200 },
    );
  });

  test('has every row in exactly one of the ranges it is split into', async () => {
    await fc.assert(
      fc.asyncProperty(blocksArbitrary, fc.integer({ min: 0, max: 8 }), async (blocks, split) => {
        const bytes = segmentOf(blocks);
        const low = await plainBlocks(bytes, { first: 0, last: split });
        const high = await plainBlocks(bytes, { first: split + 1, last: 0xffff });
        const rows = [...low, ...high].flatMap((block) => normal([block])[0]!.rows);
        const all = normal(blocks).flatMap((block) => block.rows);
        const byText = (row: unknown) => JSON.stringify(row, (_, v) => textOf(v));
        expect(rows.map(byText).toSorted()).toEqual(all.map(byText).toSorted());
      }),
    );
  });

  test('reads neighbouring blocks together, and only what a range needs', async () => {
    const blocks = Array.from({ length: 3_000 }, (_, at) => ({
      layout: plainLayout,
      kind: 'rows' as const,
      namespace: [],
      rows: Array.from({ length: 100 }, (_, row) => ({
        group: at,
        key: row,
        numbers: [row + 0.5],
        blobs: [],
      })),
    }));
    const bytes = segmentOf(blocks);
    const reads: number[] = [];
    const read = (from: number, length: number) => {
      reads.push(length);
      return readerOf(bytes)(from, length);
    };
    const index = await readSegmentIndex(read, bytes.length);
    reads.length = 0;
    let rows = 0;
    for await (const { columns } of readBlocks(index, read, { first: 0, last: 0xffff })) {
      rows += columns.count;
    }
    expect(rows).toBe(300_000);
    expect(reads.length).toBe(Math.ceil(bytes.length / 2 ** 20));
    expect(Math.max(...reads)).toBeLessThanOrEqual(2 ** 20);
    reads.length = 0;
    for await (const _ of readBlocks(index, read, { first: 7, last: 8 }));
    expect(reads).toEqual([2 * (index.blocks[7]!.length + 8)]);
  });

  test('comes in chunks of about a quarter MiB, which add up', () => {
    const writer = new SegmentWriter();
    const layout = writer.layout(plainLayout);
    const columns = newBlockColumns(plainLayout);
    columns.count = 512;
    columns.numbers[0]!.forEach((_, row, numbers) => {
      numbers[row] = row / 3;
    });
    const chunks: Uint8Array[] = [];
    for (let block = 0; block < 200; block += 1) {
      writer.add(layout, 'rows', [], columns);
      chunks.push(...writer.takeChunks());
      expect(writer.bytesPending).toBeLessThan(300_000);
    }
    expect(chunks.length).toBe(Math.floor((200 * 512 * 12) / 2 ** 18));
    for (const { length } of chunks) expect(length).toBeLessThan(2 ** 18 + 2 ** 15);
    writer.finish();
    chunks.push(...writer.takeChunks());
    expect(writer.bytesPending).toBe(0);
    expect(writer.totalBytes).toBe(joined(chunks).length);
  });

  test('knows a layout that says the same again', () => {
    const writer = new SegmentWriter();
    expect(writer.layout(plainLayout)).toBe(0);
    expect(writer.layout({ ...plainLayout, version: 2 })).toBe(1);
    expect(writer.layout({ ...plainLayout })).toBe(0);
  });

  test('counts what it holds of each layout', async () => {
    const row = { group: 3, key: 'a', numbers: [1], blobs: [] };
    const block = { layout: plainLayout, namespace: [1] };
    const bytes = segmentOf([
      { ...block, kind: 'drop', rows: [] },
      { ...block, kind: 'rows', rows: [row, row] },
      { ...block, kind: 'removals', rows: [row] },
    ]);
    expect(await verifySegment(readerOf(bytes), bytes.length)).toEqual([
      {
        layout: plainLayout,
        blocks: { rows: 1, removals: 1, keyRemovals: 0, drop: 1 },
        rows: { rows: 2, removals: 1, keyRemovals: 0, drop: 0 },
      },
    ]);
  });

  test.each([
    ['no rows', { count: 0 }],
    ['more than 512 rows', { count: 513 }],
    ['falling key groups', { groups: Uint16Array.of(2, 1) }],
    ['fewer columns than its layout', { numbers: [] }],
  ])('refuses a block with %s', (_, wrong) => {
    const writer = new SegmentWriter();
    const layout = writer.layout(plainLayout);
    const columns = { ...newBlockColumns(plainLayout), count: 2, ...wrong };
    expect(() => writer.add(layout, 'rows', [], columns)).toThrow(MillraceError);
    expect(() => writer.add(layout, 'rows', [], columns)).toThrow(/ERR_INVARIANT/);
  });

  test('keeps one NaN, whatever its bits', async () => {
    const writer = new SegmentWriter();
    const layout = writer.layout(plainLayout);
    const columns = newBlockColumns(plainLayout);
    const words = new Uint32Array(columns.numbers[0]!.buffer);
    words.set([1, 0xfff00000, 7, 0x7ff80000, 0, 0x3ff80000]);
    columns.count = 3;
    writer.add(layout, 'rows', [], columns);
    writer.finish();
    const bytes = joined(writer.takeChunks());
    const read = readerOf(bytes);
    const index = await readSegmentIndex(read, bytes.length);
    for await (const block of readBlocks(index, read, { first: 0, last: 0 })) {
      const found = new Uint32Array(block.columns.numbers[0]!.buffer).subarray(0, 6);
      expect([...found]).toEqual([0, 0x7ff80000, 0, 0x7ff80000, 0, 0x3ff80000]);
    }
  });
});

function textOf(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'number') return value;
  return Object.is(value, -0) ? '-0' : `${value}`;
}
