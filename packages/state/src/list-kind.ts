import { decodeRecord } from '@millrace/core/internal';
import type { StateDescriptor } from '@millrace/core/spi';
import { blobAt } from './block-builder.js';
import type { CellKind, CellRow } from './cell-kind.js';
import { type Expiry, noStamp } from './expiry.js';
import { migrated } from './migrated.js';
import type { StoredBlock } from './state-part.js';
import { stampOf } from './value-kind.js';

/** A key's list: elements are appended in place; anything else makes a new cell. */
export class ListCell {
  readonly elements: unknown[];
  /** The time of each element, where they have a time to live. */
  readonly stamps: number[] | undefined;

  constructor(elements: unknown[], stamps: number[] | undefined) {
    this.elements = elements;
    this.stamps = stamps;
  }
}

/** Of a list that was then appended to: its first elements are still the ones kept. */
interface KeptList {
  readonly cell: ListCell;
  readonly length: number;
}

/** Cells that are lists, written whole: a record of elements, and one of their times. */
export function listKind(descriptor: StateDescriptor, expiry: Expiry | undefined): CellKind {
  const write = ({ cell, length }: KeptList, row: CellRow): void => {
    const { block, row: at } = row.out.row(row);
    row.out.blob(block, at, 0, cell.elements.slice(0, length));
    row.out.blob(block, at, 1, cell.stamps?.slice(0, length));
  };
  return {
    layout: { kind: 'list', numbers: 0, blobs: 2, identityNumbers: 0, identityBlobs: 0 },
    keep: (cell): KeptList => keptOf(cell as ListCell),
    write: (cell, row) => write(keptOf(cell as ListCell), row),
    writeKept: (kept, row) => write(kept as KeptList, row),
    load(_cell, { version, columns }: StoredBlock, { row }) {
      const stored = decodeRecord(blobAt(columns.blobs[0]!, row)) as unknown[];
      const stamps = decodeRecord(blobAt(columns.blobs[1]!, row)) as number[] | undefined;
      const elements = stored.map((element) => migrated(descriptor, version, element));
      if (expiry === undefined) return new ListCell(elements, undefined);
      const times = elements.map((_, i) => stampOf(stamps?.[i] ?? noStamp, expiry));
      return new ListCell(elements, times);
    },
    ...(expiry && { expire: (cell) => withoutExpired(cell as ListCell, expiry) }),
  };
}

const keptOf = (cell: ListCell): KeptList => ({ cell, length: cell.elements.length });

/** The list without the elements that have expired; undefined when none is left. */
export function withoutExpired(cell: ListCell, expiry: Expiry): ListCell | undefined {
  const { elements, stamps = [] } = cell;
  const stays = stamps.map((stamp) => !expiry.hasExpired(stamp));
  if (stays.every((stay) => stay)) return cell;
  const left = elements.filter((_, i) => stays[i]);
  if (left.length === 0) return undefined;
  return new ListCell(
    left,
    stamps.filter((_, i) => stays[i]),
  );
}
