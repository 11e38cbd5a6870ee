import { decodeRecord } from '@millrace/core/internal';
import type { StateDescriptor } from '@millrace/core/spi';
import { blobAt } from './block-builder.js';
import type { CellKind, CellLayout, CellRow } from './cell-kind.js';
import { type Expiry, noStamp } from './expiry.js';
import { migrated } from './migrated.js';
import type { StoredBlock } from './state-part.js';

/** A value with the time that its time to live counts from. Never changed: replaced. */
export class Stamped {
  readonly value: unknown;
  readonly stampMs: number;

  constructor(value: unknown, stampMs: number) {
    this.value = value;
    this.stampMs = stampMs;
  }
}

/** Rows of one value: its time, and its record. */
const valueLayout: Omit<CellLayout, 'kind'> = {
  numbers: 1,
  blobs: 1,
  identityNumbers: 0,
  identityBlobs: 0,
};

/** Cells that are one value: of value, reducing and aggregating states. */
export function valueKind(descriptor: StateDescriptor, expiry: Expiry | undefined): CellKind {
  const copy = descriptor.copy as ((value: unknown) => unknown) | undefined;
  const write = (cell: unknown, row: CellRow): void => {
    const stamped = cell instanceof Stamped;
    const { block, row: at } = row.out.row(row);
    block.number(at, 0, stamped ? cell.stampMs : noStamp);
    row.out.blob(block, at, 0, stamped ? cell.value : cell);
  };
  return {
    layout: { kind: descriptor.kind, ...valueLayout },
    keep(cell) {
      if (copy === undefined) return cell;
      return cell instanceof Stamped ? new Stamped(copy(cell.value), cell.stampMs) : copy(cell);
    },
    write,
    writeKept: write,
    load(_cell, { version, columns, stamps }: StoredBlock, { row }) {
      const value = migrated(descriptor, version, decodeRecord(blobAt(columns.blobs[0]!, row)));
      if (expiry === undefined || value === undefined) return value;
      return new Stamped(value, stamps === 'old' ? noStamp : columns.numbers[0]![row]!);
    },
    ...(expiry && {
      sweep: (cell) => ({ left: living(cell as Stamped, expiry), isDone: true }),
    }),
  };
}

/** Undefined when it has expired; what was stored without a time is new when it is seen first. */
function living(cell: Stamped, expiry: Expiry): Stamped | undefined {
  const { value, stampMs } = cell;
  if (Number.isNaN(stampMs)) {
    const nowMs = expiry.stamp();
    return Number.isNaN(nowMs) ? cell : new Stamped(value, nowMs);
  }
  return expiry.hasExpired(stampMs) ? undefined : cell;
}
