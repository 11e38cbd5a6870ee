import type { Key } from '@millrace/core';
import { canonicalKey, keyGroupOf } from '@millrace/core/internal';
import type { KeyTable, KeyTables } from '@millrace/core/spi';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BlockSink } from '../block-builder.js';
import type { Block, BlockColumns, StateLayout } from '../segment/block.js';
import { LevelBackend } from './level-backend.js';
import { MemorySpillStore } from './memory-spill-store.js';

const groupCount = 8;
const groups = { first: 0, last: groupCount - 1 };

/** Kinds of rows: those of integers and numbers are written by a snapshot of their own. */
const shapes = {
  typed: { numbers: [5], refs: [], keys: [0, 1, 2, 3, 4, 5, 6, -7, 800, 2 ** 31 - 1] },
  mixed: {
    numbers: [5],
    refs: [(): unknown => []],
    keys: [0, 1, 2, 1.5, '', 'a', '\ud800', null, 10n, [1, 'x'], new Date(3)],
  },
} as const;
type Shape = keyof typeof shapes;

type Row = readonly [n: number, ref: unknown];
/** Rows by namespace and canonical key. */
type Content = Map<number, Map<unknown, Row>>;

interface Delta {
  readonly layout: StateLayout;
  readonly blocks: Block[];
}

class Rig {
  readonly backend: LevelBackend;
  readonly tables: KeyTables;
  private readonly shape: Shape;
  private readonly pending: (() => void)[] = [];

  constructor(shape: Shape, tracking: 'tracked' | 'untracked', memoryBytesMax: number) {
    this.shape = shape;
    const store = new MemorySpillStore({ schedule: (complete) => this.pending.push(complete) });
    this.backend = new LevelBackend({ store, memoryBytesMax, tracking, groupCount, groups });
    const { numbers, refs } = shapes[shape];
    const spec = { numbers, refs, shape, namespaceLength: 1 };
    this.tables = this.backend.keyTables('operator', 'rows', spec);
  }

  key(index: number): Key {
    const { keys } = shapes[this.shape];
    return keys[index % keys.length] as Key;
  }

  add(table: KeyTable, key: Key): void {
    const slot = table.slot(key);
    if (table.marks[slot]! < table.epoch) table.touch(slot);
    table.numbers[slot]! += 1;
    if (table.refStride > 0) (table.refs[slot] as unknown[]).push(table.numbers[slot]);
  }

  /** The store gets so far as to complete some of what was begun. */
  async complete(count: number): Promise<void> {
    for (const done of this.pending.splice(0, count)) {
      done();
      await settled();
    }
  }

  /** Waits for what needs the store. */
  async wait<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    let isOver = false;
    const over = work?.finally(() => {
      isOver = true;
    });
    while (work !== undefined && !isOver) {
      await this.complete(Infinity);
      await settled();
    }
    return over;
  }

  /** All rows: those in memory, then the pages, each once. */
  async content(): Promise<Content> {
    const content: Content = new Map();
    for (const [namespace] of this.tables.namespaces()) {
      const table = this.tables.open(namespace!);
      const pages = this.tables.outsidePages!(table)!;
      const rows = new Map<unknown, Row>();
      collect(table, rows);
      for (let page = await this.wait(pages.next()); page!.done !== true; ) {
        collect(page!.value, rows);
        page = await this.wait(pages.next());
      }
      expect(rows.size).toBe(table.size);
      if (rows.size > 0) content.set(namespace!, rows);
    }
    return content;
  }

  async load(chain: readonly Delta[]): Promise<void> {
    for (const { layout, blocks } of chain) {
      for (const block of blocks) {
        this.backend.load(layout, block);
        await this.wait(this.backend.relieve());
      }
    }
  }
}

function collect(table: KeyTable, rows: Map<unknown, Row>): void {
  for (let slot = 0; slot < table.high; slot += 1) {
    if (!table.isLive(slot)) continue;
    const id = canonicalKey(table.keyAt(slot));
    expect(rows.has(id)).toBe(false);
    const ref = table.refStride > 0 ? structuredClone(table.refs[slot]) : undefined;
    rows.set(id, [table.numbers[slot]!, ref]);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const copyOf = ({
  count,
  groups: rowGroups,
  keys,
  numbers,
  blobs,
}: BlockColumns): BlockColumns => ({
  count,
  groups: rowGroups.slice(),
  keys: keys.slice(0, count),
  numbers: numbers.map((column) => column.slice()),
  blobs: blobs.map(({ bytes, ends }) => ({ bytes: bytes.slice(), ends: ends.slice() })),
});

const noColumns: BlockColumns = {
  count: 0,
  groups: new Uint16Array(0),
  keys: [],
  numbers: [],
  blobs: [],
};

class DeltaSink implements BlockSink {
  readonly blocks: Block[] = [];
  known: StateLayout | undefined;

  layout(layout: StateLayout): number {
    this.known = layout;
    return 0;
  }

  add(_layout: number, kind: Block['kind'], namespace: readonly number[], columns: BlockColumns) {
    for (let i = 0; i < columns.count; i += 1) {
      expect(columns.groups[i]).toBe(keyGroupOf(columns.keys[i]!, groupCount));
    }
    this.blocks.push({ layout: 0, kind, namespace: [...namespace], columns: copyOf(columns) });
  }

  drop(_layout: number, namespace: readonly number[]): void {
    this.blocks.push({ layout: 0, kind: 'drop', namespace: [...namespace], columns: noColumns });
  }

  delta(): readonly Delta[] {
    return this.known === undefined ? [] : [{ layout: this.known, blocks: this.blocks }];
  }
}

type Step =
  | { readonly does: 'add' | 'remove' | 'find'; readonly namespace: number; readonly key: number }
  | { readonly does: 'drop'; readonly namespace: number }
  | { readonly does: 'freeze' | 'lose' | 'restart' | 'relieve' | 'read' }
  | { readonly does: 'prefetch'; readonly namespace: number; readonly keys: readonly number[] }
  | { readonly does: 'encode' | 'complete'; readonly count: number };

const does = <D extends Step['does']>(name: D) => fc.constant(name);
const namespace = fc.nat(1);
const key = fc.nat(10);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ does: does('add'), namespace, key }) },
  { weight: 6, arbitrary: fc.record({ does: does('remove'), namespace, key }) },
  { weight: 4, arbitrary: fc.record({ does: does('find'), namespace, key }) },
  { weight: 1, arbitrary: fc.record({ does: does('drop'), namespace }) },
  { weight: 8, arbitrary: fc.record({ does: does('relieve') }) },
  { weight: 8, arbitrary: fc.record({ does: does('freeze') }) },
  { weight: 2, arbitrary: fc.record({ does: does('lose') }) },
  { weight: 1, arbitrary: fc.record({ does: does('restart') }) },
  { weight: 2, arbitrary: fc.record({ does: does('read') }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: does('prefetch'), namespace, keys: fc.array(key) }),
  },
  { weight: 8, arbitrary: fc.record({ does: does('encode'), count: fc.constantFrom(1, 3, 99) }) },
  { weight: 6, arbitrary: fc.record({ does: does('complete'), count: fc.constantFrom(1, 2, 9) }) },
);

const contentCopy = (content: Content): Content =>
  new Map(
    [...content].filter(([, rows]) => rows.size > 0).map(([id, rows]) => [id, new Map(rows)]),
  );

/** A backend beside a model of it. */
class History {
  private rig: Rig;
  private model: Content = new Map();
  private readonly make: () => Rig;
  private chain: readonly Delta[] = [];
  private atChain: Content = new Map();
  /** The chain ahead of the last snapshot, while that may still be lost. */
  private before: { readonly chain: readonly Delta[]; readonly at: Content } | undefined;
  private running: { readonly sink: DeltaSink; readonly at: Content } | undefined;
  /** Most rows that were outside at a time. */
  rowsOutsideMost = 0;

  constructor(make: () => Rig) {
    this.make = make;
    this.rig = make();
  }

  async do(next: Step): Promise<void> {
    const { rig } = this;
    switch (next.does) {
      case 'add':
        return this.add(next.namespace, rig.key(next.key));
      case 'find':
        return this.find(next.namespace, rig.key(next.key));
      case 'remove': {
        const table = rig.tables.open(next.namespace);
        const slot = table.find(rig.key(next.key));
        const id = canonicalKey(rig.key(next.key));
        expect(slot >= 0).toBe(this.model.get(next.namespace)?.delete(id) ?? false);
        if (slot >= 0) table.remove(slot);
        return;
      }
      case 'drop':
        rig.tables.drop(next.namespace);
        this.model.delete(next.namespace);
        return;
      case 'relieve':
        await rig.wait(rig.backend.relieve());
        this.rowsOutsideMost = Math.max(this.rowsOutsideMost, rig.backend.counts.rowsOutside);
        return;
      case 'complete':
        return rig.complete(next.count);
      case 'prefetch': {
        const keys = next.keys.map((index) => rig.key(index));
        await rig.wait(rig.tables.prefetch!(rig.tables.open(next.namespace), keys, 0, keys.length));
        const { syncReads } = rig.backend.counts;
        for (const each of keys) this.find(next.namespace, each);
        expect(rig.backend.counts.syncReads).toBe(syncReads);
        return;
      }
      case 'read':
        expect(await rig.content()).toEqual(contentCopy(this.model));
        return;
      case 'freeze':
        return this.freeze();
      case 'encode':
        if (this.running === undefined) return;
        if (rig.backend.step(this.running.sink, next.count) === 'done') this.finish();
        return;
      case 'lose':
        return this.lose();
      case 'restart':
        return this.restart();
    }
  }

  /** All is as in the model, now and in what a restore gives. */
  async check(): Promise<void> {
    expect(await this.rig.content()).toEqual(contentCopy(this.model));
    this.complete();
    await this.restart();
    expect(await this.rig.content()).toEqual(contentCopy(this.model));
    await this.rig.wait(this.rig.backend.close());
  }

  private add(at: number, each: Key): void {
    this.rig.add(this.rig.tables.open(at), each);
    const rows = this.model.get(at) ?? new Map<unknown, Row>();
    const [n, ref] = rows.get(canonicalKey(each)) ?? [5, []];
    const { refStride } = this.rig.tables.open(at);
    const grown = refStride > 0 ? [...(ref as unknown[]), n + 1] : undefined;
    this.model.set(at, rows.set(canonicalKey(each), [n + 1, grown]));
  }

  private find(at: number, each: Key): void {
    const table = this.rig.tables.open(at);
    const slot = table.find(each);
    const row = this.rowOf(at, each);
    expect(slot >= 0).toBe(row !== undefined);
    if (slot >= 0) expect(table.numbers[slot]).toBe(row![0]);
  }

  private rowOf(at: number, each: Key): Row | undefined {
    return this.model.get(at)?.get(canonicalKey(each));
  }

  private freeze(): void {
    this.complete();
    this.rig.backend.freeze('operator');
    this.before = undefined;
    this.running = { sink: new DeltaSink(), at: contentCopy(this.model) };
  }

  private complete(): void {
    while (this.running !== undefined) {
      if (this.rig.backend.step(this.running.sink, 7) === 'done') this.finish();
    }
  }

  private finish(): void {
    const { sink, at } = this.running!;
    this.running = undefined;
    this.before = { chain: this.chain, at: this.atChain };
    this.chain = [...this.chain, ...sink.delta()];
    this.atChain = at;
  }

  private lose(): void {
    if (this.running !== undefined) this.running = undefined;
    else if (this.before !== undefined) {
      this.chain = this.before.chain;
      this.atChain = this.before.at;
      this.before = undefined;
    } else return;
    this.rig.backend.abandon();
  }

  private async restart(): Promise<void> {
    this.running = undefined;
    this.before = undefined;
    this.rig = this.make();
    await this.rig.load(this.chain);
    this.model = contentCopy(this.atChain);
  }
}

const histories = fc.array(step, { maxLength: 120, size: 'max' });
/** Room for two or three rows. */
const tinyBytes = 200;

describe('a backend whose rows may be outside memory', () => {
  for (const shape of ['typed', 'mixed'] as const) {
    test(`does what a map does, in any history, with ${shape} rows`, {
      timeout: 120_000,
    }, async () => {
      let outside = 0;
      await fc.assert(
        fc.asyncProperty(histories, async (steps) => {
          const history = new History(() => new Rig(shape, 'tracked', tinyBytes));
          for (const each of steps) await history.do(each);
          await history.check();
          outside = Math.max(outside, history.rowsOutsideMost);
        }),
        { numRuns: 400 },
      );
      expect(outside).toBeGreaterThan(3);
    });
  }
});
