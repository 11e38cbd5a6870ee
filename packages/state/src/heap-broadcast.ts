import {
  type CanonicalKey,
  canonicalKey,
  decodeRecord,
  keyOfCanonical,
  RecordWriter,
} from '@millrace/core/internal';
import type { BroadcastState, Key } from '@millrace/core/spi';
import { BlockBuilder, type BlockSink, blobAt } from './block-builder.js';
import { noStamp } from './expiry.js';
import type { StepResult } from './group-order.js';
import { stateLimits } from './limits.js';
import { MapCell, MapEntry } from './map-cell.js';
import { migrated } from './migrated.js';
import type { OperatorStateParts } from './operator-state-parts.js';
import type { StateLayout } from './segment/block.js';
import type { StatePart, StoredBlock } from './state-part.js';

/** What a barrier has taken, and how far it is written. */
interface FrozenMap {
  /** What is left to be written, in order. */
  rows: IterableIterator<readonly [CanonicalKey, unknown]>;
  /** Whether `rows` are a copy of their own, which changes of the map do not reach. */
  isKept: boolean;
  next: number;
}

/**
 * A subtask's copy of broadcast state. A snapshot has the whole map, in the first of the subtask's
 * key groups; all subtasks' copies say the same, so that a restore takes any one of them.
 */
export class HeapBroadcast implements BroadcastState<Key, unknown>, StatePart {
  readonly layout: StateLayout;
  readonly migrates: boolean;
  private readonly parts: OperatorStateParts;
  private map = newMap();
  private hasChanged = false;
  private frozen: FrozenMap | undefined;
  private readonly record = new RecordWriter({ properties: 'trusted' });

  constructor(parts: OperatorStateParts) {
    const { operator, state, descriptor } = parts;
    this.parts = parts;
    this.migrates = descriptor.migrate !== undefined;
    this.layout = {
      operator,
      state,
      kind: descriptor.kind,
      version: descriptor.version,
      shape: '',
      // Where an entry stands among the others.
      numbers: 1,
      blobs: 1,
      identityNumbers: 0,
      identityBlobs: 0,
    };
  }

  get bytes(): number {
    return this.map.size * entryBytes;
  }

  get size(): number {
    return this.used().size;
  }

  get(key: Key): unknown {
    return this.used().get(canonicalKey(key))?.value;
  }

  has(key: Key): boolean {
    return this.used().get(canonicalKey(key)) !== undefined;
  }

  *entries(): Iterable<readonly [Key, unknown]> {
    const map = this.used();
    for (const [key, { value }] of map.inOrder()) {
      // The author may clear what is visited.
      if (this.map !== map) return;
      yield [keyOfCanonical(key), value];
    }
  }

  set(key: Key, value: unknown): void {
    const canonical = canonicalKey(key);
    const map = this.used();
    this.beforeChange();
    const entry = map.get(canonical);
    if (entry === undefined) {
      map.insert(canonical, value, noStamp);
      this.parts.undo.push(() => map.delete(canonical));
      return;
    }
    const { value: before } = entry;
    entry.value = value;
    this.parts.undo.push(() => {
      entry.value = before;
    });
  }

  delete(key: Key): void {
    const canonical = canonicalKey(key);
    const map = this.used();
    const entry = map.get(canonical);
    if (entry === undefined) return;
    this.beforeChange();
    map.delete(canonical);
    this.parts.undo.push(() => map.restore(canonical, entry));
  }

  clear(): void {
    const map = this.used();
    if (map.size === 0) return;
    this.beforeChange();
    this.map = newMap();
    this.parts.undo.push(() => {
      this.map = map;
    });
  }

  freeze(): void {
    if (this.parts.tracking === 'untracked' || !this.hasChanged) return;
    this.hasChanged = false;
    this.frozen = { rows: rowsOf(this.map), isKept: false, next: 0 };
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    const { frozen } = this;
    if (frozen === undefined) return 'done';
    if (frozen.next === 0) sink.drop(sink.layout(this.layout), []);
    const block = new BlockBuilder(this.layout, 'rows');
    const to = frozen.next + rowsMax;
    const bytesMax = stateLimits.blockBlobBytes;
    while (this.frozen !== undefined && frozen.next < to && block.blobBytes < bytesMax) {
      const row = frozen.rows.next();
      if (row.done === true) this.frozen = undefined;
      else this.write(row.value, frozen, block);
      if (block.isFull) block.flush(sink, []);
    }
    block.flush(sink, []);
    return this.frozen === undefined ? 'done' : 'more';
  }

  abandon(): void {
    this.frozen = undefined;
    this.rewrite();
  }

  rewrite(): void {
    this.hasChanged = true;
  }

  load({ kind, version, columns }: StoredBlock): void {
    if (kind === 'drop') {
      this.map = newMap();
      return;
    }
    for (let row = 0; row < columns.count; row += 1) {
      const stored = decodeRecord(blobAt(columns.blobs[0]!, row));
      const value = migrated(this.parts.descriptor, version, stored);
      const entry = new MapEntry(value, noStamp, columns.numbers[0]![row]!);
      this.map.restore(canonicalKey(columns.keys[row]!), entry);
    }
  }

  /** The map, for a function of the operator. */
  private used(): MapCell {
    const { scope, state } = this.parts;
    scope.check(state);
    return this.map;
  }

  private write(
    [key, value]: readonly [CanonicalKey, unknown],
    frozen: FrozenMap,
    block: BlockBuilder,
  ): void {
    const row = block.row(this.parts.groups.first, keyOfCanonical(key));
    // Counted anew, so that equal maps have equal bytes whatever their past.
    block.number(row, 0, frozen.next);
    this.record.reset();
    this.record.write(value);
    block.blob(row, 0, this.record.peek());
    frozen.next += 1;
  }

  /** Keeps for the snapshot in progress what it has not written yet. */
  private beforeChange(): void {
    this.hasChanged = true;
    const { frozen } = this;
    if (frozen === undefined || frozen.isKept) return;
    frozen.rows = [...frozen.rows].values();
    frozen.isKept = true;
  }
}

const newMap = (): MapCell => new MapCell({ kind: 'broadcast', tracking: 'untracked' });

function* rowsOf(map: MapCell): Generator<readonly [CanonicalKey, unknown]> {
  for (const [key, { value }] of map.inOrder()) yield [key, value];
}

/** Estimate for an entry of user values. */
const entryBytes = 200;
