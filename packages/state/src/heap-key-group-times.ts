import type { Key } from '@millrace/core';
import type { KeyGroupRange } from '@millrace/core/internal';
import type { KeyGroupTimes } from '@millrace/core/spi';
import { BlockBuilder, type BlockSink } from './block-builder.js';
import type { StepResult } from './group-order.js';
import type { StateLayout } from './segment/block.js';
import type { StatePart, StoredBlock } from './state-part.js';

/** Times by key group; nearly always they are all the same. */
export class HeapKeyGroupTimes implements KeyGroupTimes, StatePart {
  readonly layout: StateLayout;
  readonly migrates = false;
  lowest = -Infinity;
  highest = -Infinity;
  /** By key group, while they differ: after a restore of parts that had come unequally far. */
  private times: Float64Array | undefined;
  private hasChanged = false;
  private frozen: Float64Array | undefined;
  private readonly groups: KeyGroupRange;
  private readonly groupOf: (key: Key) => number;

  constructor(
    operator: string,
    state: string,
    groups: KeyGroupRange,
    groupOf: (key: Key) => number,
  ) {
    this.layout = {
      operator,
      state,
      kind: 'keyGroupTimes',
      version: 1,
      shape: '',
      numbers: 1,
      blobs: 0,
      identityNumbers: 0,
      identityBlobs: 0,
    };
    this.groups = groups;
    this.groupOf = groupOf;
  }

  get bytes(): number {
    return this.times === undefined ? 0 : this.times.byteLength;
  }

  of(key: Key): number {
    return this.times?.[this.groupOf(key) - this.groups.first] ?? this.highest;
  }

  advance(timeMs: number): void {
    if (!(timeMs > this.lowest)) return;
    this.hasChanged = true;
    this.lowest = timeMs;
    if (timeMs >= this.highest) {
      this.highest = timeMs;
      this.times = undefined;
    } else if (this.times !== undefined) {
      this.times = this.times.map((time) => Math.max(time, timeMs));
    }
  }

  freeze(): void {
    if (!this.hasChanged) return;
    this.hasChanged = false;
    this.frozen = this.times?.slice() ?? new Float64Array(this.count).fill(this.highest);
  }

  step(sink: BlockSink): StepResult {
    const { frozen, groups } = this;
    if (frozen === undefined) return 'done';
    this.frozen = undefined;
    sink.drop(sink.layout(this.layout), []);
    const rows = new BlockBuilder(this.layout, 'rows');
    for (let i = 0; i < frozen.length; i += 1) {
      const group = groups.first + i;
      rows.number(rows.row(group, group), 0, frozen[i]!);
      if (rows.isFull) rows.flush(sink, []);
    }
    rows.flush(sink, []);
    return 'done';
  }

  abandon(): void {
    this.frozen = undefined;
    this.rewrite();
  }

  rewrite(): void {
    this.hasChanged = true;
  }

  load({ kind, columns }: StoredBlock): void {
    // A part that has come anywhere has rows for all its groups: a drop has nothing to forget.
    if (kind !== 'rows') return;
    const times = this.times ?? new Float64Array(this.count).fill(this.highest);
    for (let row = 0; row < columns.count; row += 1) {
      times[columns.groups[row]! - this.groups.first] = columns.numbers[0]![row]!;
    }
    this.times = times;
    this.lowest = times.reduce((a, b) => Math.min(a, b));
    this.highest = times.reduce((a, b) => Math.max(a, b));
    if (this.lowest === this.highest) this.times = undefined;
  }

  private get count(): number {
    return this.groups.last - this.groups.first + 1;
  }
}
