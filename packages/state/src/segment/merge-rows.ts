import { ByteWriter, canonicalKey, encodeKey } from '@millrace/core/internal';
import type { Key } from '@millrace/core/spi';
import type { Block, BlockColumns, StateLayout } from './block.js';
import { blobsOf, numbersOf } from './block-body.js';
import { sortInTurns, type Turns } from './turns.js';

const none = -1;
const codesPerCall = 4_096;

/** A row that is left; valid until the next one. */
export interface MergedRow {
  readonly layout: StateLayout;
  readonly kind: 'rows' | 'removals';
  readonly row: number;
  readonly group: number;
  readonly key: Key;
}

/**
 * Rows of one state, namespace and run of key groups, of which the newest of each identity are
 * left. Blocks are added oldest first.
 */
export class MergeRows {
  /** Values of all rows' number columns, row by row. */
  readonly numbers: number[] = [];
  /** Where a row's numbers begin. */
  readonly numbersFrom: number[] = [];
  /** Bytes of all rows' blob columns, row by row. */
  readonly bytes = new ByteWriter();
  /** Where blobs begin in `bytes`; one more than there are blobs. */
  readonly blobStarts: number[] = [0];
  /** Which blob is a row's first. */
  readonly blobsFrom: number[] = [];
  private readonly layouts: StateLayout[] = [];
  private readonly removals: boolean[] = [];
  private readonly replaced: boolean[] = [];
  private readonly slotOfRow: number[] = [];
  private readonly slots = new Map<unknown, number>();
  private readonly keys: Key[] = [];
  private readonly groups: number[] = [];
  private readonly keyBytes: (Uint8Array | undefined)[] = [];
  /** By slot: rows below are gone with their key. */
  private readonly keyRemovedAt: number[] = [];
  /** By slot: the newest row without identity columns. */
  private readonly newestOfKey: number[] = [];
  private readonly newest = new Map<string, number>();
  private order: Int32Array = new Int32Array(0);

  add({ kind, columns }: Block, layout: StateLayout): void {
    const { count, keys, groups } = columns;
    for (let at = 0; at < count; at += 1) {
      const slot = this.slotOf(keys[at]!, groups[at]!);
      if (kind === 'keyRemovals') this.keyRemovedAt[slot] = this.slotOfRow.length;
      else this.addRow(slot, layout, kind === 'removals', columns, at);
    }
  }

  /** Sorts by key group, then by the keys' bytes; before anything is asked for. */
  async sort(turns: Turns): Promise<void> {
    const slots = Int32Array.from(this.keys.keys());
    this.order = await sortInTurns(slots, (a, b) => this.compare(a, b), turns);
  }

  /** Keys all of whose older rows are gone, sorted. */
  *removedKeys(): Generator<{ readonly key: Key; readonly group: number }> {
    for (const slot of this.order) {
      if (this.keyRemovedAt[slot] === none) continue;
      yield { key: this.keys[slot]!, group: this.groups[slot]! };
    }
  }

  /** Rows and removals that are left, sorted. */
  *left(): Generator<MergedRow> {
    const { first, next } = this.rowsBySlot();
    for (const slot of this.order) {
      for (let row = first[slot]!; row !== none; row = next[row]!) {
        yield {
          layout: this.layouts[row]!,
          kind: this.removals[row] ? 'removals' : 'rows',
          row,
          group: this.groups[slot]!,
          key: this.keys[slot]!,
        };
      }
    }
  }

  /** Lists of the rows that are left, by slot. */
  private rowsBySlot(): { first: Int32Array; next: Int32Array } {
    const first = new Int32Array(this.keys.length).fill(none);
    const next = new Int32Array(this.slotOfRow.length).fill(none);
    for (let row = this.slotOfRow.length - 1; row >= 0; row -= 1) {
      const slot = this.slotOfRow[row]!;
      if (this.replaced[row] || row < this.keyRemovedAt[slot]!) continue;
      next[row] = first[slot]!;
      first[slot] = row;
    }
    return { first, next };
  }

  private slotOf(key: Key, group: number): number {
    const canonical = canonicalKey(key);
    const known = this.slots.get(canonical);
    if (known !== undefined) return known;
    const slot = this.keys.length;
    this.slots.set(canonical, slot);
    this.keys.push(key);
    this.groups.push(group);
    this.keyRemovedAt.push(none);
    this.newestOfKey.push(none);
    return slot;
  }

  private addRow(
    slot: number,
    layout: StateLayout,
    isRemoval: boolean,
    columns: BlockColumns,
    at: number,
  ): void {
    const row = this.slotOfRow.length;
    const before = this.replaceNewest(slot, layout, columns, at, row);
    if (before !== none) this.replaced[before] = true;
    this.slotOfRow.push(slot);
    this.layouts.push(layout);
    this.removals.push(isRemoval);
    this.replaced.push(false);
    const kind = isRemoval ? 'removals' : 'rows';
    const numbers = numbersOf(layout, kind);
    this.numbersFrom.push(this.numbers.length);
    for (let column = 0; column < numbers; column += 1) {
      this.numbers.push(columns.numbers[column]![at]!);
    }
    const blobs = blobsOf(layout, kind);
    this.blobsFrom.push(this.blobStarts.length - 1);
    for (let column = 0; column < blobs; column += 1) {
      this.bytes.raw(blobOf(columns, column, at));
      this.blobStarts.push(this.bytes.length);
    }
  }

  /** Makes a row the newest of its identity, and returns the one that was. */
  private replaceNewest(
    slot: number,
    { identityNumbers, identityBlobs }: StateLayout,
    columns: BlockColumns,
    at: number,
    row: number,
  ): number {
    if (identityNumbers + identityBlobs === 0) {
      const before = this.newestOfKey[slot]!;
      this.newestOfKey[slot] = row;
      return before;
    }
    let identity = `${slot}`;
    for (let column = 0; column < identityNumbers; column += 1) {
      const number = columns.numbers[column]![at]!;
      identity += Object.is(number, -0) ? '|-0' : `|${number}`;
    }
    for (let column = 0; column < identityBlobs; column += 1) {
      const blob = blobOf(columns, column, at);
      identity += `:${blob.length}:${latin1(blob)}`;
    }
    const before = this.newest.get(identity) ?? none;
    this.newest.set(identity, row);
    return before;
  }

  private compare(a: number, b: number): number {
    if (this.groups[a] !== this.groups[b]) return this.groups[a]! - this.groups[b]!;
    const keyA = this.keys[a]!;
    const keyB = this.keys[b]!;
    // NaN, which this leaves to the bytes, is the last of the numbers.
    if (typeof keyA === 'number' && typeof keyB === 'number') {
      if (keyA < keyB) return -1;
      if (keyA > keyB) return 1;
    }
    return compareBytes(this.bytesOf(a), this.bytesOf(b));
  }

  private bytesOf(slot: number): Uint8Array {
    this.keyBytes[slot] ??= encodeKey(this.keys[slot]!);
    return this.keyBytes[slot];
  }
}

function blobOf(columns: BlockColumns, column: number, row: number): Uint8Array {
  const { bytes, ends } = columns.blobs[column]!;
  return bytes.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row]!);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += codesPerCall) {
    text += String.fromCharCode(...bytes.subarray(at, at + codesPerCall));
  }
  return text;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return a.length - b.length;
}
