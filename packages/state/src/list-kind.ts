import { decodeRecord } from '@millrace/core/internal';
import type { StateDescriptor } from '@millrace/core/spi';
import { blobAt } from './block-builder.js';
import type { CellKind, CellRow, SweptCell } from './cell-kind.js';
import { type Expiry, noStamp } from './expiry.js';
import { stateLimits } from './limits.js';
import { migrated } from './migrated.js';
import type { StoredBlock } from './state-part.js';

/** A key's list: elements are appended in place; anything else makes a new cell. */
export class ListCell {
  readonly elements: unknown[];
  /** The time of each element, where they have a time to live. */
  readonly stamps: number[] | undefined;
  /** How often a sweep has come by since it looked at the elements. */
  visits = 0;
  /** How many there were when it did, or at first. */
  lookedLength: number;

  constructor(elements: unknown[], stamps: number[] | undefined) {
    this.elements = elements;
    this.stamps = stamps;
    this.lookedLength = elements.length;
  }
}

/** Of a list that was then appended to: its first elements are still the ones kept. */
interface KeptList {
  readonly elements: readonly unknown[];
  readonly stamps: readonly number[] | undefined;
  readonly length: number;
}

/** Cells that are lists, written whole: a record of elements, and one of their times. */
export function listKind(descriptor: StateDescriptor, expiry: Expiry | undefined): CellKind {
  const copy = descriptor.copy as ((value: unknown) => unknown) | undefined;
  const write = ({ elements, stamps, length }: KeptList, row: CellRow): void => {
    const { block, row: at } = row.out.row(row);
    row.out.blob(block, at, 0, elements.slice(0, length));
    row.out.blob(block, at, 1, stamps?.slice(0, length));
  };
  const wholeOf = ({ elements, stamps }: ListCell): KeptList => {
    return { elements, stamps, length: elements.length };
  };
  return {
    layout: { kind: 'list', numbers: 0, blobs: 2, identityNumbers: 0, identityBlobs: 0 },
    keep(cell): KeptList {
      const whole = wholeOf(cell as ListCell);
      if (copy === undefined) return whole;
      return { ...whole, elements: whole.elements.map((element) => copy(element)) };
    },
    write: (cell, row) => write(wholeOf(cell as ListCell), row),
    writeKept: (kept, row) => write(kept as KeptList, row),
    weightOf: (cell) => (cell as ListCell).elements.length,
    load(_cell, { version, columns, stamps: times }: StoredBlock, { row }) {
      const stored = decodeRecord(blobAt(columns.blobs[0]!, row)) as unknown[];
      const stamps = decodeRecord(blobAt(columns.blobs[1]!, row)) as number[] | undefined;
      const elements = stored.map((element) => migrated(descriptor, version, element));
      if (expiry === undefined) return new ListCell(elements, undefined);
      const own = times === 'old' ? undefined : stamps;
      return new ListCell(elements, own ?? elements.map(() => noStamp));
    },
    ...(expiry && {
      sweep: (cell) => swept(cell as ListCell, expiry),
    }),
  };
}

/** The list without the elements that have expired; undefined when none is left. */
export function withoutExpired(cell: ListCell, expiry: Expiry): ListCell | undefined {
  const { elements, stamps = [] } = cell;
  if (!stamps.some((stamp) => expiry.hasExpired(stamp))) return cell;
  const stays = stamps.map((stamp) => !expiry.hasExpired(stamp));
  const left = elements.filter((_, i) => stays[i]);
  if (left.length === 0) return undefined;
  return new ListCell(
    left,
    stamps.filter((_, i) => stays[i]),
  );
}

/** Looks at a long list when it has been passed by often enough to pay for it. */
function swept(cell: ListCell, expiry: Expiry): SweptCell {
  cell.visits += 1;
  const { elements, stamps, visits, lookedLength } = cell;
  const { length } = elements;
  // Elements that were added pay as well: a list may grow faster than sweeps come by.
  const paid = visits * stateLimits.ttlSweepEntries + 2 * (length - lookedLength);
  if (paid < length) return { left: cell, isDone: false };
  cell.visits = 0;
  cell.lookedLength = length;
  if (!stamps!.some(Number.isNaN)) return { left: withoutExpired(cell, expiry), isDone: true };
  const nowMs = expiry.stamp();
  if (Number.isNaN(nowMs)) return { left: withoutExpired(cell, expiry), isDone: true };
  const times = stamps!.map((stamp) => (Number.isNaN(stamp) ? nowMs : stamp));
  return { left: new ListCell(elements, times), isDone: true };
}
