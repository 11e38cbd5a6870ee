import type { Key } from '@millrace/core';
import { canonicalKey, keyGroupOf } from '@millrace/core/internal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BlockSink } from './block-builder.js';
import { HeapKeyTables } from './heap-key-tables.js';
import { stateLimits } from './limits.js';
import { joined, readerOf } from './segment/plain-segment.js';
import { readBlocks, readSegmentIndex } from './segment/segment-reader.js';
import { SegmentWriter } from './segment/segment-writer.js';

/** So few that texts are kept as bytes in most histories, and sometimes only later. */
// Texts become bytes in small tables, too.
Object.assign(stateLimits, { textKeysMin: 4 });

const groupCount = 8;
const allGroups = { first: 0, last: groupCount - 1 };

const newTables = (): HeapKeyTables =>
  new HeapKeyTables({
    operator: 'sums',
    state: 'panes',
    spec: { numbers: [0, 0], refs: [], shape: 'two numbers', namespaceLength: 0 },
    tracking: 'tracked',
    groupCount,
    groupOf: (key) => keyGroupOf(key, groupCount),
  });

const key: fc.Arbitrary<Key> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(12).map((n) => `user-${n}`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'é', '\ud83d', '\u0000', 'long '.repeat(20)) },
  { weight: 1, arbitrary: fc.constantFrom<Key>(1.5, true, null, 7n, ['user-1', 2]) },
);
const integer: fc.Arbitrary<Key> = fc.integer({ min: -3, max: 3 });

type Step =
  | { readonly does: 'add' | 'remove'; readonly key: Key }
  | { readonly does: 'freeze' | 'lose' }
  | { readonly does: 'encode'; readonly rows: number };

const stepOf = (keys: fc.Arbitrary<Key>): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ does: fc.constant('add' as const), key: keys }) },
    { weight: 5, arbitrary: fc.record({ does: fc.constant('remove' as const), key: keys }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('freeze' as const) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const) }) },
    {
      weight: 8,
      arbitrary: fc.record({ does: fc.constant('encode' as const), rows: fc.constantFrom(1, 3) }),
    },
  );

/** Integers alone come first, so that a snapshot of them meets other keys on its way. */
const histories = fc
  .tuple(
    fc.array(stepOf(integer), { maxLength: 20 }),
    fc.array(stepOf(fc.oneof(key, integer)), { maxLength: 80, size: 'max' }),
  )
  .map(([first, then]) => [...first, ...then]);

type Content = ReadonlyMap<unknown, readonly number[]>;

/** Tables beside a model of them. */
class History {
  private readonly tables = newTables();
  private model = new Map<unknown, readonly number[]>();
  private chain: Uint8Array[] = [];
  private running: { readonly writer: SegmentWriter; readonly at: Content } | undefined;

  async do(step: Step): Promise<void> {
    switch (step.does) {
      case 'add':
        return this.add(step.key);
      case 'remove':
        return this.remove(step.key);
      case 'freeze':
        await this.complete();
        this.tables.freeze();
        this.running = { writer: new SegmentWriter(), at: new Map(this.model) };
        return;
      case 'encode':
        if (this.running === undefined) return;
        if (this.tables.step(sinkOf(this.running.writer), step.rows) === 'done') await this.check();
        return;
      case 'lose':
        if (this.running === undefined) return;
        this.running = undefined;
        this.tables.abandon();
    }
  }

  async complete(): Promise<void> {
    while (this.running !== undefined) await this.do({ does: 'encode', rows: 7 });
  }

  private add(added: Key): void {
    const table = this.tables.open();
    const slot = table.slot(added);
    if (table.marks[slot]! < table.epoch) table.touch(slot);
    table.numbers[slot * 2]! += 1;
    table.numbers[slot * 2 + 1]! -= 0.5;
    const [n, half] = this.model.get(canonicalKey(added)) ?? [0, 0];
    this.model.set(canonicalKey(added), [n! + 1, half! - 0.5]);
  }

  private remove(removed: Key): void {
    const table = this.tables.open();
    const slot = table.find(removed);
    expect(slot >= 0).toBe(this.model.delete(canonicalKey(removed)));
    if (slot >= 0) table.remove(slot);
  }

  /** What was written restores what there was at the barrier. */
  private async check(): Promise<void> {
    const { writer, at } = this.running!;
    this.running = undefined;
    writer.finish();
    this.chain.push(joined(writer.takeChunks()));
    const restored = newTables();
    for (const segment of this.chain) await load(restored, segment);
    expect(contentOf(restored)).toEqual(at);
  }
}

const sinkOf = (writer: SegmentWriter): BlockSink => ({
  layout: (layout) => writer.layout(layout),
  add: (...block) => writer.add(...block),
  drop: (layout, namespace) => writer.add(layout, 'drop', namespace),
});

async function load(tables: HeapKeyTables, segment: Uint8Array): Promise<void> {
  const read = readerOf(segment);
  const index = await readSegmentIndex(read, segment.length);
  for await (const block of readBlocks(index, read, allGroups)) {
    for (let row = 0; row < block.columns.count; row += 1) {
      const group = keyGroupOf(block.columns.keys[row]!, groupCount);
      expect(block.columns.groups[row]).toBe(group);
    }
    tables.load({ ...block, version: 1 });
  }
}

function contentOf(tables: HeapKeyTables): Content {
  const table = tables.open();
  const content = new Map<unknown, readonly number[]>();
  for (let slot = 0; slot < table.high; slot += 1) {
    if (!table.isLive(slot)) continue;
    content.set(canonicalKey(table.keyAt(slot)), [
      table.numbers[slot * 2]!,
      table.numbers[slot * 2 + 1]!,
    ]);
  }
  return content;
}

test('snapshots of rows of numbers restore what there was, with keys of any kind', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (steps) => {
      const history = new History();
      for (const step of steps) await history.do(step);
      await history.do({ does: 'freeze' });
      await history.complete();
    }),
    { numRuns: 400 },
  );
});
