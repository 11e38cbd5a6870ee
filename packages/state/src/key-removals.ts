import type { Key } from '@millrace/core';
import { BlockBuilder, type BlockSink } from './block-builder.js';
import type { StepResult } from './group-order.js';
import type { RowsSnapshotSpec } from './rows-snapshot.js';

/** Writes that keys are gone, some in each step. */
export class KeyRemovals {
  private readonly keys: readonly Key[];
  private readonly spec: RowsSnapshotSpec;
  private next = 0;

  constructor(keys: readonly Key[], spec: RowsSnapshotSpec) {
    this.keys = keys;
    this.spec = spec;
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    const { layout, namespace, groupOf } = this.spec;
    const to = Math.min(this.keys.length, this.next + rowsMax);
    const removals = new BlockBuilder(layout, 'keyRemovals');
    const keys = this.keys.slice(this.next, to).map((key) => ({ key, group: groupOf(key) }));
    keys.sort((a, b) => a.group - b.group);
    for (const { key, group } of keys) {
      removals.row(group, key);
      if (removals.isFull) removals.flush(sink, namespace);
    }
    removals.flush(sink, namespace);
    this.next = to;
    return to < this.keys.length ? 'more' : 'done';
  }
}
