import type { Key } from '@millrace/core';
import { decodeRecord, RecordWriter } from '@millrace/core/internal';
import type { OperatorListState } from '@millrace/core/spi';
import { BlockBuilder, type BlockSink, blobAt } from './block-builder.js';
import type { StepResult } from './group-order.js';
import { stateLimits } from './limits.js';
import { migrated } from './migrated.js';
import type { OperatorStateParts } from './operator-state-parts.js';
import type { StateLayout } from './segment/block.js';
import { isInGroups, type StatePart, type StoredBlock } from './state-part.js';

/** An element that was loaded, and where it stood. */
interface LoadedElement {
  readonly group: number;
  readonly index: number;
  readonly value: unknown;
}

/** What a barrier has taken, and how far it is written. */
interface FrozenList {
  readonly elements: readonly unknown[];
  readonly length: number;
  next: number;
}

/**
 * The list of one subtask. Its elements lie evenly over the subtask's key groups, so that a restore
 * that splits the key groups anew splits the elements with them.
 */
export class HeapOperatorList implements OperatorListState<unknown>, StatePart {
  readonly layout: StateLayout;
  readonly migrates: boolean;
  private readonly parts: OperatorStateParts;
  /** Appended to in place, otherwise replaced: what was frozen stays at its beginning. */
  private elements: unknown[] = [];
  private loaded: LoadedElement[] = [];
  private hasChanged = false;
  private frozen: FrozenList | undefined;
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
      shape: descriptor.redistribute ?? 'split',
      numbers: 0,
      blobs: 1,
      identityNumbers: 0,
      identityBlobs: 0,
    };
  }

  get bytes(): number {
    return (this.elements.length + this.loaded.length) * elementBytes;
  }

  get(): readonly unknown[] {
    return [...this.used()];
  }

  add(value: unknown): void {
    const elements = this.used();
    const { length } = elements;
    this.hasChanged = true;
    this.parts.undo.push(() => {
      // A snapshot may need what stands there once it is written over.
      this.elements = elements.slice(0, length);
    });
    elements.push(value);
  }

  set(values: readonly unknown[]): void {
    const before = this.used();
    this.hasChanged = true;
    this.parts.undo.push(() => {
      this.elements = before;
    });
    this.elements = [...values];
  }

  freeze(): void {
    const elements = this.all();
    if (this.parts.tracking === 'untracked' || !this.hasChanged) return;
    this.hasChanged = false;
    this.frozen = { elements, length: elements.length, next: 0 };
  }

  step(sink: BlockSink, rowsMax: number): StepResult {
    const { frozen } = this;
    if (frozen === undefined) return 'done';
    if (frozen.next === 0) sink.drop(sink.layout(this.layout), []);
    const to = Math.min(frozen.length, frozen.next + rowsMax);
    const rows = new BlockBuilder(this.layout, 'rows');
    let index = frozen.next;
    for (; index < to && rows.blobBytes < stateLimits.blockBlobBytes; index += 1) {
      const row = rows.row(this.groupOf(index, frozen.length), index);
      this.record.reset();
      this.record.write(frozen.elements[index]);
      rows.blob(row, 0, this.record.peek());
      if (rows.isFull) rows.flush(sink, []);
    }
    rows.flush(sink, []);
    frozen.next = index;
    if (index < frozen.length) return 'more';
    this.frozen = undefined;
    return 'done';
  }

  abandon(): void {
    this.frozen = undefined;
    this.rewrite();
  }

  rewrite(): void {
    this.hasChanged = true;
  }

  load({ kind, version, columns, chainGroups }: StoredBlock): void {
    if (kind === 'drop') {
      this.loaded = this.loaded.filter(({ group }) => !isInGroups(group, chainGroups));
      return;
    }
    for (let row = 0; row < columns.count; row += 1) {
      const stored = decodeRecord(blobAt(columns.blobs[0]!, row));
      const value = migrated(this.parts.descriptor, version, stored);
      const group = columns.groups[row]!;
      this.loaded.push({ group, index: columns.keys[row] as Key as number, value });
    }
  }

  /** The elements, for a function of the operator. */
  private used(): unknown[] {
    const { scope, state } = this.parts;
    scope.check(state);
    return this.all();
  }

  /** The elements; what was loaded is in them from now on, in the order in which it stood. */
  private all(): unknown[] {
    if (this.loaded.length > 0) {
      this.loaded.sort((a, b) => a.group - b.group || a.index - b.index);
      this.elements = this.loaded.map(({ value }) => value);
      this.loaded = [];
    }
    return this.elements;
  }

  private groupOf(index: number, count: number): number {
    const { first, last } = this.parts.groups;
    return first + Math.floor((index * (last - first + 1)) / count);
  }
}

/** Estimate for an element of user values. */
const elementBytes = 160;
