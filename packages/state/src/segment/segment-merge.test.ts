import { keyGroupOf } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StateLayout } from './block.js';
import { joined, type PlainBlock, plainBlocks, readerOf, segmentOf } from './plain-segment.js';
import { mergeSegments } from './segment-merge.js';
import { readSegmentIndex } from './segment-reader.js';
import { SegmentWriter } from './segment-writer.js';

const keyGroups = 4;

const layoutOf = (state: string, version: number, identity: number): StateLayout => ({
  operator: 'velocity',
  state,
  kind: identity > 0 ? 'map' : 'value',
  version,
  shape: '',
  numbers: 2,
  blobs: 2,
  identityNumbers: identity,
  identityBlobs: identity,
});

/** Two versions of a map, and a plain value with a version of another shape. */
const layouts = [
  layoutOf('map', 1, 1),
  layoutOf('map', 2, 1),
  layoutOf('value', 1, 0),
  { ...layoutOf('value', 2, 0), numbers: 1, blobs: 1 },
];

const keys: readonly Key[] = [1, 2, 3, 2 ** 31, 'a', 'b', 'ab', true, 7n, ['x', 1], Number.NaN, -5];

const rowOf = fc.record({
  key: fc.constantFrom(...keys),
  numbers: fc.tuple(fc.constantFrom(0, -0, 1, Number.NaN), fc.double()),
  blobs: fc.tuple(fc.constantFrom('', 'k', '1:k'), fc.string({ unit: fc.constantFrom('v', 'w') })),
});

const blockArbitrary: fc.Arbitrary<PlainBlock> = fc
  .record({
    layout: fc.constantFrom(...layouts),
    kind: fc.constantFrom(
      ...(['rows', 'rows', 'rows', 'removals', 'keyRemovals', 'drop'] as const),
    ),
    namespace: fc.constantFrom([], [1], [2]),
    rows: fc.array(rowOf, { minLength: 1, maxLength: 6 }),
  })
  .map((block) => ({
    ...block,
    rows: (block.kind === 'drop' ? [] : block.rows)
      .map((row) => ({
        group: keyGroupOf(row.key, keyGroups),
        key: row.key,
        numbers: row.numbers.slice(0, widthOf(block.kind, block.layout, 'numbers')),
        blobs: row.blobs.slice(0, widthOf(block.kind, block.layout, 'blobs')),
      }))
      .toSorted((a, b) => a.group - b.group),
  }));

function widthOf(kind: string, layout: StateLayout, columns: 'numbers' | 'blobs'): number {
  if (kind === 'rows') return layout[columns];
  if (kind === 'keyRemovals') return 0;
  return columns === 'numbers' ? layout.identityNumbers : layout.identityBlobs;
}

/** A chain: blocks by segment. */
const chainArbitrary = fc.array(fc.array(blockArbitrary, { maxLength: 6 }), {
  minLength: 1,
  maxLength: 5,
});

/** What is so after these blocks: the slow, obvious reading of the contract. */
function stateAfter(blocks: readonly PlainBlock[]): Map<string, string> {
  const rows = new Map<string, string>();
  const removeAll = (prefix: readonly string[]) => {
    for (const id of rows.keys()) {
      const parts = JSON.parse(id) as string[];
      if (prefix.every((part, at) => parts[at] === part)) rows.delete(id);
    }
  };
  for (const { layout, kind, namespace, rows: changes } of blocks) {
    const place = [layout.state, namespace.join()];
    if (kind === 'drop') removeAll(place);
    for (const { key, numbers, blobs } of changes) {
      const path = [...place, textOf(key)];
      const identity = [
        ...numbers.slice(0, layout.identityNumbers).map(textOf),
        ...blobs.slice(0, layout.identityBlobs),
      ];
      const id = JSON.stringify([...path, ...identity]);
      if (kind === 'keyRemovals') removeAll(path);
      else if (kind === 'removals') rows.delete(id);
      else rows.set(id, JSON.stringify([layout.version, numbers.map(textOf), blobs]));
    }
  }
  return rows;
}

function textOf(value: Key): string {
  if (Array.isArray(value)) return `[${value.map(textOf)}]`;
  return `${typeof value} ${Object.is(value, -0) ? '-0' : value}`;
}

async function merge(
  segments: readonly Uint8Array[],
  isComplete: boolean,
  { pause = async () => {}, readerFor = readerOf } = {},
): Promise<Uint8Array> {
  const inputs = await Promise.all(
    segments.map(async (bytes) => ({
      index: await readSegmentIndex(readerOf(bytes), bytes.length),
      read: readerFor(bytes),
    })),
  );
  const writer = new SegmentWriter();
  await mergeSegments(inputs, writer, { isComplete, pause });
  writer.finish();
  return joined(writer.takeChunks());
}

const sorted = (state: Map<string, string>) => [...state].toSorted();

describe('merging', () => {
  test('a whole chain leaves what is so, and nothing about what is gone', async () => {
    await fc.assert(
      fc.asyncProperty(chainArbitrary, async (chain) => {
        const merged = await plainBlocks(await merge(chain.map(segmentOf), true));
        expect(sorted(stateAfter(merged))).toEqual(sorted(stateAfter(chain.flat())));
        for (const { kind } of merged) expect(kind).toBe('rows');
        const count = merged.reduce((sum, { rows }) => sum + rows.length, 0);
        expect(count).toBe(stateAfter(merged).size);
      }),
      { numRuns: 500 },
    );
  });

  test('a part of a chain changes nothing for what precedes and follows it', async () => {
    await fc.assert(
      fc.asyncProperty(
        chainArbitrary,
        chainArbitrary,
        chainArbitrary,
        async (before, part, after) => {
          const merged = await plainBlocks(await merge(part.map(segmentOf), false));
          const found = stateAfter([...before.flat(), ...merged, ...after.flat()]);
          const expected = stateAfter([...before.flat(), ...part.flat(), ...after.flat()]);
          expect(sorted(found)).toEqual(sorted(expected));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('merging step by step gives what merging at once gives', async () => {
    await fc.assert(
      fc.asyncProperty(chainArbitrary, chainArbitrary, async (older, newer) => {
        const all = [...older, ...newer].map(segmentOf);
        const part = await merge(newer.map(segmentOf), false);
        const steps = await merge([...older.map(segmentOf), part], true);
        const found = stateAfter(await plainBlocks(steps));
        const expected = stateAfter(await plainBlocks(await merge(all, true)));
        expect(sorted(found)).toEqual(sorted(expected));
      }),
      { numRuns: 200 },
    );
  });

  test('sorts rows by key group, then by the keys as they compare', async () => {
    const rows = keys.map((key) => ({ group: 1, key, numbers: [1], blobs: ['v'] }));
    const blocks = rows.map((row) => ({
      layout: layouts[3]!,
      kind: 'rows' as const,
      namespace: [],
      rows: [row, { ...row, group: 2, key: `${row.key}!` }],
    }));
    const [block, ...others] = await plainBlocks(await merge([segmentOf(blocks)], true));
    expect(others).toEqual([]);
    expect(block!.rows.filter(({ group }) => group === 1).map(({ key }) => key)).toEqual([
      true,
      -5,
      1,
      2,
      3,
      2 ** 31,
      Number.NaN,
      7n,
      'a',
      'ab',
      'b',
      ['x', 1],
    ]);
    expect(block!.rows.map(({ group }) => group)).toEqual([
      ...rows.fill(rows[0]!).map(() => 1),
      ...rows.map(() => 2),
    ]);
  });

  test('keeps two versions of a state as two layouts', async () => {
    const row = { group: 0, numbers: [1], blobs: ['v'] };
    const blockOf = (version: 2 | 3, key: Key) => ({
      layout: layouts[version]!,
      kind: 'rows' as const,
      namespace: [],
      rows: [
        { ...row, key, numbers: [1, 2].slice(version - 2), blobs: ['v', 'w'].slice(version - 2) },
      ],
    });
    const merged = await merge(
      [segmentOf([blockOf(2, 'old'), blockOf(2, 'both')]), segmentOf([blockOf(3, 'both')])],
      true,
    );
    const found = (await plainBlocks(merged)).map(({ layout, rows }) => [
      layout.version,
      rows.map(({ key }) => key),
    ]);
    expect(found.toSorted()).toEqual([
      [1, ['old']],
      [2, ['both']],
    ]);
  });
});

describe('merging much', () => {
  const layout: StateLayout = { ...layoutOf('sums', 1, 0), numbers: 1, blobs: 0 };
  const count = 200_000;

  /** Keys of a step, with the number `value`, in blocks that each span few key groups. */
  function segment(step: number, value: number): Uint8Array {
    const blocks: PlainBlock[] = [];
    const rows = Array.from({ length: Math.floor(count / step) }, (_, at) => ({
      group: (at * step) >> 10,
      key: at * step,
      numbers: [value],
      blobs: [],
    }));
    for (let at = 0; at < rows.length; at += 500) {
      blocks.push({ layout, kind: 'rows', namespace: [], rows: rows.slice(at, at + 500) });
    }
    return segmentOf(blocks);
  }

  test('works on a few key groups at a time, gives turns, and reads little twice', async () => {
    const segments = [segment(1, 1), segment(3, 3), segment(7, 7)];
    let pauses = 0;
    let bytesRead = 0;
    const bytes = await merge(segments, true, {
      pause: async () => {
        pauses += 1;
      },
      readerFor: (segmentBytes) => (from, length) => {
        bytesRead += length;
        return readerOf(segmentBytes)(from, length);
      },
    });
    expect(pauses).toBeGreaterThan((3 * count) / 2_000);
    expect(bytesRead).toBeLessThan(1.3 * joined(segments).length);
    let expected = 0;
    for (const { rows } of await plainBlocks(bytes)) {
      expect(rows.length).toBeLessThanOrEqual(512);
      for (const { key, numbers } of rows) {
        expect(key === expected && numbers[0] === newestOf(expected)).toBe(true);
        expected += 1;
      }
    }
    expect(expected).toBe(count);
  });

  const newestOf = (key: number) =>
    key % 7 === 0 && key < count - (count % 7)
      ? 7
      : key % 3 === 0 && key < count - (count % 3)
        ? 3
        : 1;

  test('does not read blocks that a drop hides', async () => {
    const old = segment(1, 1);
    const drop = segmentOf([{ layout, kind: 'drop', namespace: [], rows: [] }]);
    const read = readerOf(old);
    const index = await readSegmentIndex(read, old.length);
    const dropIndex = await readSegmentIndex(readerOf(drop), drop.length);
    const writer = new SegmentWriter();
    const never = () => Promise.reject(new Error('was read'));
    await mergeSegments(
      [
        { index, read: never },
        { index: dropIndex, read: never },
      ],
      writer,
      { isComplete: false, pause: async () => {} },
    );
    writer.finish();
    const blocks = await plainBlocks(joined(writer.takeChunks()));
    expect(blocks.map(({ kind }) => kind)).toEqual(['drop']);
  });

  test('closes blocks early when their blobs are large', async () => {
    const large: StateLayout = { ...layoutOf('large', 1, 0), numbers: 0, blobs: 1 };
    const rows = Array.from({ length: 100 }, (_, key) => ({
      group: 0,
      key,
      numbers: [],
      blobs: ['x'.repeat(20_000)],
    }));
    const bytes = await merge(
      [segmentOf([{ layout: large, kind: 'rows', namespace: [], rows }])],
      true,
    );
    const blocks = await plainBlocks(bytes);
    expect(blocks.map((block) => block.rows.length)).toEqual([14, 14, 14, 14, 14, 14, 14, 2]);
    expect(blocks.flatMap((block) => block.rows)).toEqual(rows);
  });
});
