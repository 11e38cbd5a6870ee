import type { Key } from '@millrace/core';
import { canonicalKey, decodeKey, decodeRecord, encodeKey } from '@millrace/core/internal';
import type { CheckpointStore } from '@millrace/core/spi';
import {
  type Block,
  type BlockColumns,
  blobAt,
  readBlocks,
  readSegmentIndex,
  type StateLayout,
} from '@millrace/state/internal';
import type { Manifest } from '../checkpoint/manifest.js';
import { inputOf } from '../checkpoint/segment-chain.js';
import { textOf } from './state-text.js';

/** One row of stored state, as people look at it. */
export interface StateRow {
  readonly operator: string;
  readonly state: string;
  readonly kind: string;
  readonly keyGroup: number;
  /** Of a list: an element's index; of times of key groups: the key group. */
  readonly key: Key;
  /** Of a list only, of which each task has its own. */
  readonly task?: string;
  /** Of a table: e.g. the start of its slice. */
  readonly namespace: readonly number[];
  /** Inside the key: the entry of a map, the time of a timer. */
  readonly entry?: unknown;
  readonly value: unknown;
}

/** Which rows to read; what is left out is not restricted. */
export interface StateFilter {
  readonly operator?: string | undefined;
  readonly state?: string | undefined;
  /** Texts of keys, as `textOf` writes them. */
  readonly keys?: ReadonlySet<string> | undefined;
}

const allGroups = { first: 0, last: 0xffff };

/**
 * The rows that a checkpoint's chains leave, of the states that the filter lets through. They are
 * held in memory: for looking at, not for running.
 *
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT`
 */
export async function readStateRows(
  manifest: Manifest,
  store: CheckpointStore,
  filter: StateFilter = {},
): Promise<readonly StateRow[]> {
  const rows: StateRow[] = [];
  // All tasks have the same copy of broadcast state: the first one's is shown.
  const copied = new Set<string>();
  for (const { task, chain } of manifest.tasks) {
    const found = new StoredRows(task, filter);
    for (const segment of chain) {
      const read = inputOf(store, segment);
      const index = await readSegmentIndex(read, segment.bytes);
      for await (const block of readBlocks(index, read, allGroups)) {
        found.apply(index.layouts[block.layout]!, block);
      }
    }
    const own = [...found.all()].filter((row) => !copied.has(`${row.operator}\n${row.state}`));
    for (const { operator, state, kind } of own) {
      if (kind === 'broadcast') copied.add(`${operator}\n${state}`);
    }
    for (const row of own) rows.push(row);
  }
  return rows.sort(byPlace);
}

/** Applies blocks in the order of their chain. */
class StoredRows {
  /** By operator, state and namespace, then by key, then by what is inside the key. */
  private readonly units = new Map<string, Map<unknown, Map<string, StateRow>>>();
  private readonly task: string;
  private readonly filter: StateFilter;

  constructor(task: string, filter: StateFilter) {
    this.task = task;
    this.filter = filter;
  }

  apply(layout: StateLayout, block: Block): void {
    const { operator = layout.operator, state = layout.state } = this.filter;
    if (layout.operator !== operator || layout.state !== state) return;
    const id = `${layout.operator}\n${layout.state}\n${block.namespace.join()}`;
    if (block.kind === 'drop') {
      this.units.delete(id);
      return;
    }
    let keys = this.units.get(id);
    if (keys === undefined) {
      keys = new Map();
      this.units.set(id, keys);
    }
    for (let row = 0; row < block.columns.count; row += 1) this.applyRow(keys, layout, block, row);
  }

  *all(): Iterable<StateRow> {
    for (const keys of this.units.values()) for (const rows of keys.values()) yield* rows.values();
  }

  private applyRow(
    keys: Map<unknown, Map<string, StateRow>>,
    layout: StateLayout,
    { kind, namespace, columns }: Block,
    row: number,
  ): void {
    const key = columns.keys[row]!;
    if (this.filter.keys?.has(textOf(key)) === false) return;
    const canonical = canonicalKey(key);
    if (kind === 'keyRemovals') {
      keys.delete(canonical);
      return;
    }
    const identity = identityOf(layout, columns, row);
    if (kind === 'removals') {
      keys.get(canonical)?.delete(identity);
      return;
    }
    let rows = keys.get(canonical);
    if (rows === undefined) {
      rows = new Map();
      keys.set(canonical, rows);
    }
    const { operator, state } = layout;
    const keyGroup = columns.groups[row]!;
    const place = { operator, state, kind: layout.kind, keyGroup, key, namespace: [...namespace] };
    const task = layout.kind === 'operatorList' ? { task: this.task } : {};
    rows.set(identity, { ...place, ...task, ...contentOf(layout, columns, row) });
  }
}

function identityOf(layout: StateLayout, columns: BlockColumns, row: number): string {
  const numbers = columns.numbers.slice(0, layout.identityNumbers).map((column) => column[row]);
  const blobs = columns.blobs
    .slice(0, layout.identityBlobs)
    .map((column) => blobAt(column, row).join());
  return [...numbers, ...blobs].join('|');
}

function contentOf(
  layout: StateLayout,
  { numbers, blobs }: BlockColumns,
  row: number,
): Pick<StateRow, 'entry' | 'value'> {
  const record = (column: number): unknown => decodeRecord(blobAt(blobs[column]!, row));
  switch (layout.kind) {
    case 'map':
    case 'sortedMap':
      return { entry: decodeKey(blobAt(blobs[0]!, row)), value: record(1) };
    case 'timers':
      return { entry: numbers[0]![row]!, value: 'set' };
    case 'keyGroupTimes':
      return { value: numbers[0]![row]! };
    case 'keyTable': {
      const cells = numbers.map((column) => column[row]!);
      return {
        value: blobs.length === 0 ? cells : { cells, refs: blobs.map((_, c) => record(c)) },
      };
    }
    default:
      return { value: record(0) };
  }
}

function byPlace(a: StateRow, b: StateRow): number {
  return (
    compare(a.operator, b.operator) ||
    compare(a.state, b.state) ||
    compare(a.namespace.join(), b.namespace.join()) ||
    compare(a.task ?? '', b.task ?? '') ||
    a.keyGroup - b.keyGroup ||
    compare(encodeKey(a.key).join(), encodeKey(b.key).join())
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a === b ? 0 : 1);
