import type { Key } from '@millrace/core';
import { canonicalKey, keyGroupOf } from '@millrace/core/internal';
import type { KeyTable, KeyTables } from '@millrace/core/spi';
import { touchRow } from '@millrace/core/spi';
import type { BlockSink } from '../block-builder.js';
import type { Block, BlockColumns, StateLayout } from '../segment/block.js';
import { LevelBackend } from './level-backend.js';
import { MemorySpillStore } from './memory-spill-store.js';

export const groupCount = 8;
export const groups = { first: 0, last: groupCount - 1 };

/** Kinds of rows: those of integers and numbers are written by a snapshot of their own. */
const shapes = {
  typed: { numbers: [5], refs: [], keys: [0, 1, 2, 3, 4, 5, 6, -7, 800, 2 ** 31 - 1] },
  mixed: {
    numbers: [5],
    refs: [(): unknown => []],
    keys: [0, 1, 2, 1.5, '', 'a', '\ud800', null, 10n, [1, 'x'], new Date(3)],
  },
} as const;
export type Shape = keyof typeof shapes;

export type Row = readonly [n: number, ref: unknown];
/** Rows by namespace and canonical key. */
export type Content = Map<number, Map<unknown, Row>>;

export interface Delta {
  readonly layout: StateLayout;
  readonly blocks: Block[];
}

/** For tests: a backend with little memory, whose store completes what it is told to. */
export class Rig {
  readonly backend: LevelBackend;
  readonly tables: KeyTables;
  private readonly shape: Shape;
  private readonly pending: (() => void)[] = [];

  constructor(shape: Shape, tracking: 'tracked' | 'untracked', memoryBytesMax: number) {
    this.shape = shape;
    const store = new MemorySpillStore({ schedule: (complete) => this.pending.push(complete) });
    this.backend = new LevelBackend({
      ...{ store, memoryBytesMax, tracking, groupCount, groups },
      pageRowsMax: 2,
    });
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
    touchRow(table, slot);
    table.numbers[slot * table.numberStride]! += 1;
    if (table.refStride > 0)
      (table.refs[slot] as unknown[]).push(table.numbers[slot * table.numberStride]);
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
  async content(between?: (table: KeyTable) => Promise<void>): Promise<Content> {
    const content: Content = new Map();
    for (const [namespace] of this.tables.namespaces()) {
      const table = this.tables.open(namespace!);
      const pages = this.tables.outsidePages!(table)!;
      const rows = new Map<unknown, Row>();
      collect(table, rows);
      for (let page = await this.wait(pages.next()); page!.done !== true; ) {
        collect(page!.value, rows);
        await between?.(table);
        page = await this.wait(pages.next());
      }
      check(rows.size === table.size, 'the size is another one');
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
    check(!rows.has(id), 'a row is seen twice');
    const ref = table.refStride > 0 ? structuredClone(table.refs[slot]) : undefined;
    rows.set(id, [table.numbers[slot * table.numberStride]!, ref]);
  }
}

/** Promises in any chain that is likely have gone on as far as they can. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await undefined;
}

function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

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

export class DeltaSink implements BlockSink {
  readonly blocks: Block[] = [];
  known: StateLayout | undefined;

  layout(layout: StateLayout): number {
    this.known = layout;
    return 0;
  }

  add(_layout: number, kind: Block['kind'], namespace: readonly number[], columns: BlockColumns) {
    for (let i = 0; i < columns.count; i += 1) {
      check(
        columns.groups[i] === keyGroupOf(columns.keys[i]!, groupCount),
        'a key is in another group',
      );
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
