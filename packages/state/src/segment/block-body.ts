import type { ByteReader, ByteWriter, KeyGroupRange } from '@millrace/core/internal';
import { readBlobs, writeBlobs } from './blob-column.js';
import type { BlockColumns, BlockKind, StateLayout } from './block.js';
import { cutToGroups, readGroups, writeGroups } from './group-column.js';
import { readKeys, writeKeyBytes, writeKeys } from './key-column.js';
import { readNumbers, writeNumbers } from './number-column.js';

/** Appends the body of a block: groups, keys, numbers, blobs. A `drop` has none. */
export function writeBody(
  out: ByteWriter,
  layout: StateLayout,
  kind: BlockKind,
  columns: BlockColumns,
): void {
  const { count } = columns;
  writeGroups(out, columns.groups, count);
  if (columns.keyBytes === undefined) writeKeys(out, columns.keys, count);
  else writeKeyBytes(out, columns.keyBytes, count);
  const numbers = numbersOf(layout, kind);
  for (let at = 0; at < numbers; at += 1) writeNumbers(out, columns.numbers[at]!, count);
  const blobs = blobsOf(layout, kind);
  for (let at = 0; at < blobs; at += 1) writeBlobs(out, columns.blobs[at]!, count);
}

/** What the index says of a body that is about to be read. */
export interface ExpectedBody {
  readonly kind: BlockKind;
  readonly count: number;
  readonly lowGroup: number;
  readonly highGroup: number;
}

/**
 * Reads the rows of a body that lie within a range of key groups into `columns`.
 *
 * @throws MillraceError `ERR_CODEC_CORRUPT`
 */
export function readBody(
  reader: ByteReader,
  layout: StateLayout,
  { kind, count, lowGroup, highGroup }: ExpectedBody,
  range: KeyGroupRange,
  columns: BlockColumns,
): void {
  readGroups(reader, columns.groups, count);
  if (columns.groups[0] !== lowGroup || columns.groups[count - 1] !== highGroup) {
    reader.corrupt(`key groups are not ${lowGroup} to ${highGroup}`);
  }
  const span = cutToGroups(columns.groups, count, range);
  readKeys(reader, columns.keys, span);
  const numbers = numbersOf(layout, kind);
  for (let at = 0; at < numbers; at += 1) readNumbers(reader, columns.numbers[at]!, span);
  const blobs = blobsOf(layout, kind);
  for (let at = 0; at < blobs; at += 1) readBlobs(reader, columns.blobs[at]!, span);
  if (reader.remaining > 0) reader.corrupt('bytes follow the last column');
  columns.count = span.to - span.from;
}

/** Number columns that a block of this kind has. */
export function numbersOf(layout: StateLayout, kind: BlockKind): number {
  if (kind === 'rows') return layout.numbers;
  return kind === 'removals' ? layout.identityNumbers : 0;
}

/** Blob columns that a block of this kind has. */
export function blobsOf(layout: StateLayout, kind: BlockKind): number {
  if (kind === 'rows') return layout.blobs;
  return kind === 'removals' ? layout.identityBlobs : 0;
}
